//! Parity with scikit-learn, SciPy and NumPy on the cases of `fixtures/metrics_sklearn.json`, which
//! `fixtures/metrics_sklearn.py` makes.

use infogan_metrics::clustering::{self, contingency};
use infogan_metrics::factors::vote::{Code, Vote};
use infogan_metrics::factors::{self, FactorTable, Variable};
use infogan_metrics::spectrum::Spectrum;
use serde_json::Value;

/// Declared tolerance: relative, above an absolute floor, since a score of exactly 0 comes out of the references as
/// rounding noise around 1e-16.
const RELATIVE: f64 = 1e-12;
const FLOOR: f64 = 1e-15;

fn document() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/metrics_sklearn.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn close(ours: f64, theirs: &Value, what: &str) {
    let theirs = theirs.as_f64().unwrap();
    assert!((ours - theirs).abs() <= RELATIVE * theirs.abs() + FLOOR, "{what}: {ours:e} against {theirs:e}");
}

fn categories(value: &Value) -> Vec<usize> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_f64().unwrap() as usize).collect()
}

#[test]
fn clustering_agrees() {
    let document = document();
    let cases = document["clustering"].as_array().unwrap();
    assert!(cases.len() >= 9);
    let mut untied = 0;
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let (codes, labels) = (categories(&case["codes"]), categories(&case["labels"]));
        let count = |key: &str| case[key].as_u64().unwrap() as usize;
        let (k, classes) = (count("k"), count("classes"));
        let all = contingency(&codes, &labels, k, classes).unwrap();
        let check = |key: &str, ours: f64| close(ours, &case[key], &format!("{name}: {key}"));
        check("mutual_information", clustering::mutual_information(&all));
        check("nmi", clustering::nmi(&all));
        check("ari", clustering::ari(&all));
        check("code_entropy", all.code_entropy());

        let half = codes.len() / 2;
        let train = contingency(&codes[..half], &labels[..half], k, classes).unwrap();
        let test = contingency(&codes[half..], &labels[half..], k, classes).unwrap();
        let (hungarian, majority) = (clustering::hungarian(&train), clustering::majority(&train));
        let accuracy = |matching, table| clustering::accuracy(matching, table).unwrap();
        check("hungarian_train", accuracy(&hungarian, &train));
        check("majority_train", accuracy(&majority, &train));
        check("majority_test", accuracy(&majority, &test));
        // Null where several matchings are best: SciPy may have taken another.
        if !case["hungarian_test"].is_null() {
            check("hungarian_test", accuracy(&hungarian, &test));
            untied += 1;
        }
    }
    assert!(untied >= 4, "only {untied} cases have a single best matching");
}

/// Owns the values that a `Variable` borrows.
enum Owned {
    Categorical(usize, Vec<usize>),
    Continuous(Vec<f64>),
}

impl Owned {
    fn read(value: &Value) -> (String, Self) {
        let values = value["values"].as_array().unwrap().iter();
        let owned = match value["kind"].as_str().unwrap() {
            "categorical" => {
                Self::Categorical(value["count"].as_u64().unwrap() as usize, categories(&value["values"]))
            }
            _ => Self::Continuous(values.map(|v| v.as_f64().unwrap()).collect()),
        };
        (value["name"].as_str().unwrap().into(), owned)
    }

    fn variable(&self) -> Variable<'_> {
        match self {
            Self::Categorical(count, values) => Variable::Categorical { count: *count, values },
            Self::Continuous(values) => Variable::Continuous(values),
        }
    }
}

#[test]
fn factors_agree() {
    let document = document();
    assert_eq!(document["bins"], factors::BINS);
    let cases = document["factors"].as_array().unwrap();
    assert!(cases.len() >= 3);
    for case in cases {
        let read = |key: &str| -> Vec<(String, Owned)> {
            let list = case[key].as_array().unwrap();
            list.iter().map(Owned::read).collect()
        };
        let (codes, factors) = (read("codes"), read("factors"));
        let table = FactorTable::new(&named(&codes), &named(&factors)).unwrap();
        for (row, (factor_name, factor)) in factors.iter().enumerate() {
            for (column, (code_name, code)) in codes.iter().enumerate() {
                let what = format!("{}: {code_name} and {factor_name}", case["name"]);
                close(table.association[row][column], &case["association"][row][column], &what);
                let information = &case["mutual_information"][row][column];
                close(table.mutual_information[row][column], information, &what);
                let pearson = &case["pearson"][row][column];
                if let (Owned::Continuous(code), Owned::Continuous(factor)) = (code, factor) {
                    close(factors::pearson(code, factor).unwrap(), pearson, &what);
                } else {
                    assert!(pearson.is_null());
                }
            }
            let gap = &case["mig_per_factor"][row];
            match table.mig.per_factor[row] {
                Some(ours) => close(ours, gap, factor_name),
                None => assert!(gap.is_null(), "{factor_name}"),
            }
        }
        close(table.mig.mean.unwrap(), &case["mig_mean"], "mean gap");
    }
}

fn named(list: &[(String, Owned)]) -> Vec<(&str, Variable<'_>)> {
    list.iter().map(|(name, owned)| (name.as_str(), owned.variable())).collect()
}

#[test]
fn votes_agree() {
    let document = document();
    let cases = document["votes"].as_array().unwrap();
    assert!(cases.len() >= 2);
    for case in cases {
        let codes: Vec<(String, Owned)> = case["codes"].as_array().unwrap().iter().map(Owned::read).collect();
        let priors = case["priors"].as_array().unwrap().iter().map(|prior| prior.as_f64().unwrap());
        let codes: Vec<Code<'_>> = (codes.iter().zip(priors))
            .map(|((_, owned), prior_dispersion)| Code { values: owned.variable(), prior_dispersion })
            .collect();
        let votes = |key: &str| -> Vec<Vote> {
            let vote = |vote: &Value| Vote {
                factor: vote["factor"].as_u64().unwrap() as usize,
                pictures: categories(&vote["pictures"]),
            };
            case[key].as_array().unwrap().iter().map(vote).collect()
        };
        let factors = case["factors"].as_u64().unwrap() as usize;
        let ours = factors::factor_vae(&codes, factors, &votes("training"), &votes("evaluation")).unwrap();
        let name = case["name"].as_str().unwrap();
        assert_eq!(serde_json::to_value(&ours.active).unwrap(), case["active"], "{name}");
        assert_eq!(serde_json::to_value(&ours.votes).unwrap(), case["votes"], "{name}");
        close(ours.score.unwrap(), &case["score"], name);
        close(ours.training_score.unwrap(), &case["training_score"], name);
    }
}

#[test]
fn spectra_agree() {
    let document = document();
    let cases = document["spectra"].as_array().unwrap();
    assert!(cases.len() >= 3);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let pictures = case["pictures"].as_array().unwrap().iter();
        let pictures: Vec<f32> = pictures.map(|value| value.as_f64().unwrap() as f32).collect();
        let shape = categories(&case["shape"]).try_into().unwrap();
        let ours = Spectrum::new(&pictures, shape).unwrap();
        let theirs = case["power"].as_array().unwrap();
        assert_eq!(ours.power().len(), theirs.len());
        for (ours, theirs) in ours.power().iter().zip(theirs) {
            close(*ours, theirs, name);
        }
        for (period, expected) in case["shares"].as_object().unwrap() {
            let period: usize = period.parse().unwrap();
            let what = format!("{name}, period {period}");
            close(ours.line_share(period).unwrap(), &expected["share"], &what);
            close(ours.white_share(period).unwrap(), &expected["white"], &what);
        }
    }
}

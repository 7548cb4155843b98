//! Scores as a table for people.

use infogan::evaluate::{CodeScore, Scores};
use serde_json::Value;

use crate::text::{grouped, percent, table};

/// Codes, and factors where they are known.
pub fn scores_table(scores: &Scores) -> String {
    let mut out = format!("scores at step {}\n\n", grouped(scores.step));
    if scores.codes.is_empty() {
        out.push_str("the game recovers no codes: there are none to score\n");
        checkerboard(&mut out, scores);
        return out;
    }
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let labelled = scores.codes.iter().any(|code| code.error_hungarian.is_some());
    let mut head = words(&["code", "kind", "L_I", "H(c)"]);
    if labelled {
        head.extend(words(&["error", "many-to-one", "NMI", "ARI"]));
    }
    let mut rows = vec![head];
    rows.extend(scores.codes.iter().map(|code| code_row(code, labelled)));
    out.push_str(&table(&rows, 2));
    out.push_str("L_I, H(c) in nats");
    if scores.codes.iter().any(|code| code.kind != "categorical") {
        out.push_str("; H(c) of a number is differential and no ceiling");
    }
    out.push('\n');
    if labelled {
        out.push_str("error: test pictures in the wrong class, categories matched to classes one to one\n");
    }
    if !scores.factors.is_empty() {
        let mut rows = vec![words(&["factor", "best code", "association", "MIG"])];
        rows.extend(scores.factors.iter().map(|factor| {
            let gap = number(factor.mig, 3);
            vec![factor.factor.clone(), factor.best_code.clone(), format!("{:.3}", factor.association), gap]
        }));
        if let Some(mean) = scores.mig_mean {
            rows.push(vec!["mean".to_owned(), String::new(), String::new(), format!("{mean:.3}")]);
        }
        out.push('\n');
        out.push_str(&table(&rows, 2));
        if let Some(score) = scores.factor_vae {
            out.push_str(&format!("FactorVAE score {score:.3}\n"));
        }
    }
    checkerboard(&mut out, scores);
    out
}

/// Power that strided layers leave, beside that of real pictures.
fn checkerboard(out: &mut String, scores: &Scores) {
    let known = scores.checkerboard.iter().filter_map(|found| Some((found.period, found.ratio?)));
    let known: Vec<String> = known.map(|(period, ratio)| format!("{ratio:.2} every {period} px")).collect();
    if !known.is_empty() {
        out.push_str(&format!("\ncheckerboard  {} (real pictures: 1)\n", known.join(", ")));
    }
}

fn code_row(code: &CodeScore, labelled: bool) -> Vec<String> {
    let mut row = vec![
        code.name.clone(),
        code.kind.clone(),
        format!("{:.3}", code.bound_nats),
        format!("{:.3}", code.entropy_nats),
    ];
    if labelled {
        let share = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), percent);
        row.extend([share(code.error_hungarian), share(code.error_majority)]);
        row.extend([number(code.nmi, 3), number(code.ari, 3)]);
    }
    row
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}

/// How the scores were made, a line each.
pub fn protocol(scores: &Scores) -> String {
    let line = |(key, value): (&String, &Value)| match value {
        Value::String(text) => format!("  {key}: {text}\n"),
        other => format!("  {key}: {other}\n"),
    };
    format!("protocol\n{}", scores.protocol.iter().map(line).collect::<String>())
}

#[cfg(test)]
mod tests {
    use infogan::evaluate::FactorScore;

    use super::*;

    fn scores() -> Scores {
        let code = |name: &str, kind: &str, error: Option<f64>| CodeScore {
            name: name.to_owned(),
            kind: kind.to_owned(),
            entropy_nats: 10f64.ln(),
            bound_nats: 2.2149,
            bound_training_nats: 2.2149,
            error_hungarian: error,
            error_majority: error,
            nmi: error,
            ari: error,
            categories: Vec::new(),
            without_category: Vec::new(),
        };
        Scores {
            step: 3000,
            codes: vec![code("c1", "categorical", Some(0.125)), code("c2", "uniform", None)],
            factors: Vec::new(),
            mig_mean: None,
            factor_vae: None,
            checkerboard: Vec::new(),
            protocol: [("seed".to_owned(), Value::from(4)), ("test_set".to_owned(), Value::from("glyphs"))]
                .into(),
        }
    }

    #[test]
    fn codes_stand_beside_their_entropy() {
        let text = scores_table(&scores());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "scores at step 3,000");
        assert_eq!(lines[2], "code  kind           L_I   H(c)   error  many-to-one    NMI    ARI");
        assert_eq!(lines[3], "c1    categorical  2.215  2.303  12.5 %       12.5 %  0.125  0.125");
        assert_eq!(lines[4], "c2    uniform      2.215  2.303       –            –      –      –");
    }

    #[test]
    fn factors_follow_where_they_are_known() {
        let mut scores = scores();
        scores.factors.push(FactorScore {
            factor: "rotation".to_owned(),
            best_code: "c2".to_owned(),
            association: 0.83,
            mig: None,
            by_code: Vec::new(),
        });
        scores.mig_mean = Some(0.25);
        let text = scores_table(&scores);
        assert!(
            text.contains(
                "factor    best code  association    MIG\nrotation  c2               0.830      –\n"
            ),
            "{text}"
        );
        assert!(text.ends_with("mean                              0.250\n"), "{text}");
    }

    #[test]
    fn without_labels_or_codes_columns_and_table_are_left_out() {
        let mut scores = scores();
        scores.codes.remove(0);
        assert!(!scores_table(&scores).contains("NMI"));
        scores.codes.clear();
        assert!(scores_table(&scores).contains("recovers no codes"));
    }

    #[test]
    fn the_protocol_is_a_list() {
        assert_eq!(protocol(&scores()), "protocol\n  seed: 4\n  test_set: glyphs\n");
    }
}

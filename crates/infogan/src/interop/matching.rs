//! Which tensor of a file is which parameter of a game.
//!
//! In this order, always with the right shape: a tensor that the user mapped; one of the same name, alone or after
//! prefixes (`module.`, `netG.`, `generator.`); for what a network then lacks altogether, a run of tensors in the file
//! whose shapes and last names (`weight`, `bias`) are those of the network in its order, if there is exactly one. A bias
//! under batch norm may be missing there, as DCGANs are often written: batch norm takes it away, and it begins at zero.
//! Running statistics stand beside the weights of their norms. Nothing is used twice.

use std::collections::{BTreeMap, BTreeSet};

use super::{NamedTensor, Weights};
use crate::{nn::ParameterSpec, train::checkpoint::HostSection};

/// What of a file goes where.
#[derive(Clone, Debug, Default)]
pub struct Matching {
    /// Sections of networks with what was found for them.
    pub sections: BTreeMap<String, HostSection>,
    /// Running statistics of the networks for whose every batch norm the file has them.
    pub statistics: BTreeMap<String, HostSection>,
    /// Network, path, and the tensor of the file.
    pub matched: Vec<[String; 3]>,
    /// Network, path and shape of parameters for which nothing was found.
    pub lacking: Vec<(String, String, Vec<usize>)>,
    /// Name and shape of tensors that nothing took.
    pub left: Vec<(String, Vec<usize>)>,
}

/// Matches the tensors of a file to networks. `map` pairs a parameter as `network.path` with a tensor of the file.
///
/// # Errors
/// A sentence when the map names what there is not, or shapes that differ.
pub fn match_weights(
    networks: &[(String, Vec<ParameterSpec>)],
    weights: &Weights,
    map: &[(String, String)],
) -> Result<Matching, String> {
    let mut matcher = Matcher { tensors: &weights.tensors, used: BTreeSet::new(), found: BTreeMap::new() };
    for (parameter, tensor) in map {
        matcher.by_hand(networks, parameter, tensor)?;
    }
    for (network, specs) in networks {
        matcher.by_name(network, specs);
    }
    for (network, specs) in networks {
        matcher.by_order(network, specs);
    }
    let statistics = networks
        .iter()
        .filter_map(|(network, specs)| Some((network.clone(), matcher.statistics(network, specs)?)))
        .collect();
    let Matcher { used, found, .. } = matcher;
    let mut matching = Matching { statistics, ..Matching::default() };
    for (network, specs) in networks {
        for spec in specs {
            match found.get(&(network.as_str(), spec.path.as_str())) {
                Some(&index) => {
                    let NamedTensor { name, tensor } = &weights.tensors[index];
                    matching.matched.push([network.clone(), spec.path.clone(), name.clone()]);
                    let section = matching.sections.entry(network.clone()).or_default();
                    section.insert(spec.path.clone(), tensor.clone());
                }
                None if is_idle_bias(specs, spec)
                    && found.contains_key(&(network.as_str(), &*weight_of(spec))) => {}
                None => matching.lacking.push((network.clone(), spec.path.clone(), spec.shape.clone())),
            }
        }
    }
    let left = weights
        .tensors
        .iter()
        .enumerate()
        .filter(|(index, one)| !used.contains(index) && last(&one.name) != "num_batches_tracked");
    matching.left = left.map(|(_, one)| (one.name.clone(), one.tensor.shape.clone())).collect();
    Ok(matching)
}

struct Matcher<'a> {
    tensors: &'a [NamedTensor],
    used: BTreeSet<usize>,
    /// Tensor of every parameter, by network and path.
    found: BTreeMap<(&'a str, &'a str), usize>,
}

impl<'a> Matcher<'a> {
    fn take(&mut self, network: &'a str, path: &'a str, index: usize) {
        self.used.insert(index);
        self.found.insert((network, path), index);
    }

    fn by_hand(
        &mut self,
        networks: &'a [(String, Vec<ParameterSpec>)],
        parameter: &str,
        tensor: &str,
    ) -> Result<(), String> {
        let (network, specs) = networks
            .iter()
            .filter(|(network, _)| {
                parameter.strip_prefix(network.as_str()).is_some_and(|rest| rest.starts_with('.'))
            })
            .max_by_key(|(network, _)| network.len())
            .ok_or_else(|| {
                let names: Vec<&str> = networks.iter().map(|(network, _)| network.as_str()).collect();
                format!("--map {parameter}={tensor}: begins with no network; networks: {}", names.join(", "))
            })?;
        let path = &parameter[network.len() + 1..];
        let spec = specs.iter().find(|spec| spec.path == path);
        let spec =
            spec.ok_or_else(|| format!("--map {parameter}={tensor}: '{network}' has no parameter '{path}'"))?;
        let index = self.tensors.iter().position(|one| one.name == tensor);
        let index =
            index.ok_or_else(|| format!("--map {parameter}={tensor}: the file has no tensor '{tensor}'"))?;
        let shape = &self.tensors[index].tensor.shape;
        if *shape != spec.shape {
            return Err(format!("--map {parameter}={tensor}: the tensor is {shape:?}, not {:?}", spec.shape));
        }
        self.take(network, &spec.path, index);
        Ok(())
    }

    /// Tensors that are called as the parameter, perhaps after prefixes; those that name the network win.
    fn by_name(&mut self, network: &'a str, specs: &'a [ParameterSpec]) {
        for spec in specs
            .iter()
            .filter(|spec| !self.found.contains_key(&(network, spec.path.as_str())))
            .collect::<Vec<_>>()
        {
            let suffix = format!(".{}", spec.path);
            let candidates: Vec<usize> = (0..self.tensors.len())
                .filter(|index| !self.used.contains(index))
                .filter(|&index| {
                    let NamedTensor { name, tensor } = &self.tensors[index];
                    (*name == spec.path || name.ends_with(&suffix)) && tensor.shape == spec.shape
                })
                .collect();
            let of_network = |index: &&usize| {
                let name = &self.tensors[**index].name;
                let prefix = name[..name.len() - spec.path.len()].trim_end_matches('.');
                prefix.rsplit('.').next() == Some(network)
            };
            let named: Vec<usize> = candidates.iter().filter(of_network).copied().collect();
            match (&named[..], &candidates[..]) {
                ([index], _) | ([], [index]) => self.take(network, &spec.path, *index),
                _ => {}
            }
        }
    }

    /// For a network of which nothing was found: its shapes, one after the other, at exactly one place of the file.
    /// What is no parameter (statistics, counters) lies between and is passed over.
    fn by_order(&mut self, network: &'a str, specs: &'a [ParameterSpec]) {
        if specs.is_empty()
            || specs.iter().any(|spec| self.found.contains_key(&(network, spec.path.as_str())))
        {
            return;
        }
        let is_statistic =
            |name: &str| STATISTICS.contains(&last(name)) || last(name) == "num_batches_tracked";
        let free: Vec<usize> = (0..self.tensors.len())
            .filter(|index| !self.used.contains(index) && !is_statistic(&self.tensors[*index].name))
            .collect();
        let all: Vec<&ParameterSpec> = specs.iter().collect();
        let without: Vec<&ParameterSpec> = specs.iter().filter(|spec| !is_idle_bias(specs, spec)).collect();
        for wanted in [all, without] {
            let fits = |window: &&[usize]| {
                window.iter().zip(&wanted).all(|(&index, spec)| {
                    let NamedTensor { name, tensor } = &self.tensors[index];
                    tensor.shape == spec.shape && last(name) == last(&spec.path)
                })
            };
            let places: Vec<&[usize]> = free.windows(wanted.len()).filter(fits).collect();
            if let [place] = places[..] {
                for (&index, spec) in place.iter().zip(&wanted) {
                    self.take(network, &spec.path, index);
                }
                return;
            }
        }
    }
}

impl Matcher<'_> {
    /// The running statistics beside the weights that were found for a network's norms, if there are those of all.
    fn statistics(&mut self, network: &str, specs: &[ParameterSpec]) -> Option<HostSection> {
        let mut taken = Vec::new();
        let mut section = HostSection::new();
        for spec in specs {
            let Some(norm) = spec.path.strip_suffix(".norm.weight") else { continue };
            let weight = &self.tensors[*self.found.get(&(network, spec.path.as_str()))?].name;
            let beside = &weight[..weight.len() - last(weight).len()];
            for statistic in STATISTICS {
                let name = format!("{beside}{statistic}");
                let fits = |one: &NamedTensor| one.name == name && one.tensor.shape == spec.shape;
                let index = self.tensors.iter().position(fits)?;
                section.insert(format!("{norm}.norm.{statistic}"), self.tensors[index].tensor.clone());
                taken.push(index);
            }
        }
        self.used.extend(taken);
        (!section.is_empty()).then_some(section)
    }
}

/// PyTorch's names of what a batch norm keeps: mean and variance of each channel.
const STATISTICS: [&str; 2] = ["running_mean", "running_var"];

/// Whether a parameter is the bias of a layer whose batch norm subtracts it again.
fn is_idle_bias(specs: &[ParameterSpec], spec: &ParameterSpec) -> bool {
    let norm = spec.path.strip_suffix(".bias").map(|layer| format!("{layer}.norm.weight"));
    norm.is_some_and(|norm| specs.iter().any(|other| other.path == norm))
}

/// The weight beside a bias.
fn weight_of(bias: &ParameterSpec) -> String {
    bias.path.strip_suffix("bias").map_or_else(String::new, |layer| format!("{layer}weight"))
}

/// The last part of a name.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{nn::Init, train::checkpoint::HostTensor};

    fn spec(path: &str, shape: &[usize]) -> ParameterSpec {
        ParameterSpec { path: path.to_owned(), shape: shape.to_vec(), init: Init::Zero }
    }

    fn networks() -> Vec<(String, Vec<ParameterSpec>)> {
        vec![
            ("generator".to_owned(), vec![spec("layers.0.weight", &[3, 2]), spec("layers.0.bias", &[3])]),
            ("critic".to_owned(), vec![spec("trunk.0.weight", &[4, 3]), spec("trunk.0.bias", &[4])]),
        ]
    }

    fn file(tensors: &[(&str, &[usize])]) -> Weights {
        let tensor = |(name, shape): &(&str, &[usize])| NamedTensor {
            name: (*name).to_owned(),
            tensor: HostTensor { shape: shape.to_vec(), values: vec![0.5; shape.iter().product()] },
        };
        Weights { tensors: tensors.iter().map(tensor).collect() }
    }

    fn sources(matching: &Matching) -> Vec<&str> {
        matching.matched.iter().map(|[.., source]| source.as_str()).collect()
    }

    #[test]
    fn names_are_found_after_prefixes() {
        let weights = file(&[
            ("module.generator.layers.0.weight", &[3, 2]),
            ("module.generator.layers.0.bias", &[3]),
            ("ema.layers.0.weight", &[3, 2]),
            ("trunk.0.weight", &[4, 3]),
            ("trunk.0.bias", &[5]),
        ]);
        let matching = match_weights(&networks(), &weights, &[]).unwrap();
        assert_eq!(
            sources(&matching),
            ["module.generator.layers.0.weight", "module.generator.layers.0.bias", "trunk.0.weight"]
        );
        assert_eq!(matching.lacking, [("critic".to_owned(), "trunk.0.bias".to_owned(), vec![4])]);
        assert_eq!(matching.left.len(), 2);
        assert_eq!(matching.sections["generator"]["layers.0.bias"].shape, [3]);
    }

    #[test]
    fn other_names_are_found_by_their_order_if_there_is_one() {
        let ours: [(&str, &[usize]); 5] = [
            ("main.0.weight", &[3, 2]),
            ("main.1.running_mean", &[3]),
            ("main.0.bias", &[3]),
            ("d.0.weight", &[4, 3]),
            ("d.0.bias", &[4]),
        ];
        let matching = match_weights(&networks(), &file(&ours), &[]).unwrap();
        assert_eq!(sources(&matching), ["main.0.weight", "main.0.bias", "d.0.weight", "d.0.bias"]);
        // Twice the same shapes: nobody can tell which is meant.
        let twice = [&ours[..], &[("copy.0.weight", &[3, 2][..]), ("copy.0.bias", &[3])]].concat();
        let matching = match_weights(&networks(), &file(&twice), &[]).unwrap();
        assert_eq!(sources(&matching), ["d.0.weight", "d.0.bias"]);
        // But the user can.
        let map =
            [("generator.layers.0.weight", "copy.0.weight"), ("generator.layers.0.bias", "copy.0.bias")];
        let map = map.map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()));
        let matching = match_weights(&networks(), &file(&twice), &map).unwrap();
        assert_eq!(sources(&matching)[..2], ["copy.0.weight", "copy.0.bias"]);
    }

    #[test]
    fn a_bias_under_batch_norm_may_be_missing_and_no_other() {
        let network = |paths: &[(&str, &[usize])]| {
            vec![(
                "generator".to_owned(),
                paths.iter().map(|(path, shape)| spec(path, shape)).collect::<Vec<_>>(),
            )]
        };
        let ours: [(&str, &[usize]); 6] = [
            ("layers.0.weight", &[3, 2]),
            ("layers.0.bias", &[3]),
            ("layers.0.norm.weight", &[3]),
            ("layers.0.norm.bias", &[3]),
            ("layers.1.weight", &[1, 3]),
            ("layers.1.bias", &[1]),
        ];
        let theirs: [(&str, &[usize]); 6] = [
            ("0.weight", &[3, 2]),
            ("1.weight", &[3]),
            ("1.bias", &[3]),
            ("1.running_mean", &[3]),
            ("3.weight", &[1, 3]),
            ("3.bias", &[1]),
        ];
        let matching = match_weights(&network(&ours), &file(&theirs), &[]).unwrap();
        assert_eq!(sources(&matching), ["0.weight", "1.weight", "1.bias", "3.weight", "3.bias"]);
        assert_eq!(matching.lacking, []);
        // A bias that counts is missed.
        let matching = match_weights(&network(&ours), &file(&theirs[..5]), &[]).unwrap();
        assert!(matching.matched.is_empty());
        // Shapes alone would take the bias of the layer for the weight of its norm.
        let plain = [ours[0], ours[2], ours[3]];
        let other = [theirs[0], ("0.bias", &[3][..]), theirs[1], theirs[2]];
        assert!(match_weights(&network(&plain), &file(&other), &[]).unwrap().matched.is_empty());
    }

    #[test]
    fn a_map_that_cannot_be_is_refused() {
        let weights = file(&[("a", &[3, 2])]);
        for (ours, theirs, reason) in [
            ("g.layers.0.weight", "a", "networks: generator, critic"),
            ("generator.layers.9.weight", "a", "no parameter"),
            ("generator.layers.0.weight", "b", "no tensor 'b'"),
            ("generator.layers.0.bias", "a", "[3, 2], not [3]"),
        ] {
            let error =
                match_weights(&networks(), &weights, &[(ours.to_owned(), theirs.to_owned())]).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }
}

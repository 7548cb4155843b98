//! `infogan presets`.

use std::process::ExitCode;

use infogan::config::{Config, PRESETS, Resolver, preset};
use toml::Table;

use crate::{
    args::{PresetsAction, PresetsArgs},
    failure::{Failure, print},
};

/// Lists the presets, or prints one.
pub fn presets(args: &PresetsArgs) -> Result<ExitCode, Failure> {
    match &args.action {
        None => {
            let widest = PRESETS.iter().map(|preset| preset.name.len()).max().unwrap_or(0);
            let line =
                |preset: &infogan::config::Preset| format!("{:widest$}  {}\n", preset.name, preset.summary);
            print(&PRESETS.iter().map(line).collect::<String>())?;
        }
        Some(PresetsAction::Show { name, resolved: true }) => {
            print(&as_toml(&Resolver::preset(name)?.finish()?)?)?;
        }
        Some(PresetsAction::Show { name, resolved: false }) => {
            let found = preset(name).ok_or_else(|| Failure::usage(no_preset(name)))?;
            print(found.text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A configuration as a file that stands alone: it may be given to `train` as it is.
pub fn as_toml(config: &Config) -> Result<String, Failure> {
    let text = Table::try_from(config).and_then(|table| toml::to_string(&table));
    let text = text.map_err(|error| Failure::usage(format!("the configuration cannot be shown: {error}")))?;
    Ok(format!("extends = false\n{text}"))
}

/// That there is no preset of this name, and which there are.
pub fn no_preset(name: &str) -> String {
    let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
    format!("there is no preset '{name}'; presets: {}", names.join(", "))
}

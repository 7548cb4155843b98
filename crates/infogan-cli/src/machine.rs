//! What stands beside every number: processor, cores, instructions, system, date.

use std::time::{SystemTime, UNIX_EPOCH};

use infogan_ops::kernels::level;

/// The machine a benchmark ran on.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Name of the processor.
    pub processor: String,
    /// Logical cores.
    pub cores: usize,
    /// What is computed on.
    pub device: String,
    /// Threads in use.
    pub threads: usize,
    /// Level of instructions in use.
    pub level: &'static str,
    /// Operating system and architecture.
    pub system: String,
    /// Day, as in 2026-11-25.
    pub date: String,
}

impl Machine {
    /// This one, today.
    pub fn here(device: &str, threads: usize) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        Self {
            processor: processor().unwrap_or_else(|| "unknown processor".to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            device: device.to_owned(),
            threads,
            level: level::level().name(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            date: day(now / 86_400),
        }
    }

    /// Processor and cores as part of a file name.
    pub fn slug(&self) -> String {
        let text = format!("{} {} cores {}", self.processor, self.cores, self.level);
        let mut slug = String::new();
        for letter in text.chars() {
            if letter.is_ascii_alphanumeric() {
                slug.push(letter.to_ascii_lowercase());
            } else if !slug.ends_with('-') {
                slug.push('-');
            }
        }
        slug.trim_matches('-').to_owned()
    }
}

/// The processor's name with family and model, which tell apart what a hypervisor calls by one name.
fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let field = |name: &str| {
        text.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        })
    };
    let name = field("model name")?;
    match (field("cpu family"), field("model")) {
        (Some(family), Some(model)) => Some(format!("{name} (family {family}, model {model})")),
        _ => Some(name),
    }
}

/// A count of days since 1970-01-01 as a date of the Gregorian calendar.
fn day(days: u64) -> String {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut left) = (1970, days);
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 0;
    let length = |month: usize| match month {
        1 => 28 + u64::from(leap(year)),
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    };
    while left >= length(month) {
        left -= length(month);
        month += 1;
    }
    format!("{year}-{:02}-{:02}", month + 1, left + 1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn days_are_dates() {
        for (days, date) in
            [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_782, "2026-11-25")]
        {
            assert_eq!(super::day(days), date);
        }
    }
}

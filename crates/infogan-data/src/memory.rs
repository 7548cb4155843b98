//! Whether something has room in this machine's memory, asked before it is taken.

/// Refuses what would take more than half of the memory, in words.
pub fn has_room(bytes: u64) -> Result<(), String> {
    let half = memory() / 2;
    if bytes <= half {
        return Ok(());
    }
    Err(format!("{} MB, more than half of this machine's memory (half is {} MB)", bytes >> 20, half >> 20))
}

/// Bytes of memory; a modest guess where the system does not tell.
fn memory() -> u64 {
    let told = || -> Option<u64> {
        let text = std::fs::read_to_string("/proc/meminfo").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
    };
    told().unwrap_or(8 << 30)
}

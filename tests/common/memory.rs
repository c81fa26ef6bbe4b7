//! The memory of a process, on Linux.

/// Resident bytes of this process.
pub(crate) fn resident() -> usize {
    const PAGE: usize = 4096;
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages = text.split(' ').nth(1).expect("the second word");
    PAGE * pages.parse::<usize>().expect("a number of pages")
}

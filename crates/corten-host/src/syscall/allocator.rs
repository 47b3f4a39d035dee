//! How much memory the C library's allocator keeps for itself.

/// Lets all threads allocate from at most `count` arenas (mallopt(3)). By default glibc gives nearly every thread its own,
/// and what a handler's thread once needed stays with it: a daemon of many short requests then holds twice the memory.
/// Other C libraries have no arenas, and nothing happens.
pub fn limit_arenas(count: i32) {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt has no safe wrapper; it takes numbers only, and an arena limit is read when a thread first
    // allocates, so that memory given out before stays valid.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, count);
    }
    #[cfg(not(target_env = "gnu"))]
    let _ = count;
}

/// Gives free memory back to the kernel (malloc_trim(3)). Other C libraries do so by themselves, and nothing happens.
pub fn trim() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim has no safe wrapper; it takes a number only, and touches free memory under the allocator's
    // own locks.
    unsafe {
        libc::malloc_trim(0);
    }
}

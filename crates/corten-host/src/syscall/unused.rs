//! Memory that a program holds without needing it any more.

/// Gives back what the program needed until now and may not need again: free memory of the C library's allocator, and the
/// pages of the program and its libraries that hold code and constants. What is still needed of the latter comes back page
/// by page from the page cache, without the disk being read, and what is not may be dropped from there when memory runs
/// short, as the kernel does not do while a process has it mapped. That costs some hundred microseconds at most: worth it
/// when a phase of life has ended, such as a start, not after each request.
pub fn give_back() {
    super::allocator::trim();
    give_back_code();
}

/// Unmaps the pages of the segments that are never written.
#[cfg(target_os = "linux")]
fn give_back_code() {
    // SAFETY: neither the standard library nor rustix knows which segments there are. `unmap_unwritten` has the type of
    // such a callback, keeps nothing, and does not unwind.
    unsafe {
        libc::dl_iterate_phdr(Some(unmap_unwritten), std::ptr::null_mut());
    }
}

#[cfg(not(target_os = "linux"))]
fn give_back_code() {}

/// Of one program or library, as dl_iterate_phdr(3) wants it.
#[cfg(target_os = "linux")]
unsafe extern "C" fn unmap_unwritten(
    object: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    _data: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the loader hands a valid object for the length of this call; its table of segments has `dlpi_phnum`
    // entries and stays as long as the object is loaded.
    let (base, segments) = unsafe {
        let object = &*object;
        (object.dlpi_addr, std::slice::from_raw_parts(object.dlpi_phdr, usize::from(object.dlpi_phnum)))
    };
    // SAFETY: takes a number and touches no memory.
    let Ok(page) = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }) else { return 0 };
    for segment in segments.iter().filter(|segment| segment.p_type == libc::PT_LOAD) {
        // What may be written, or was when the loader relocated it, is not in the file.
        if segment.p_flags & libc::PF_W != 0 {
            continue;
        }
        let Ok(start) = usize::try_from(base + segment.p_vaddr) else { continue };
        let Ok(length) = usize::try_from(segment.p_memsz) else { continue };
        let first = start / page * page;
        // SAFETY: rustix's wrapper is unsafe for the same reason. The range is a private mapping of a file that was never
        // written (no segment of ours has text relocations), so that the next access finds the same bytes again. No
        // reference into it changes. A refusal leaves all as it was.
        unsafe {
            libc::madvise(first as *mut libc::c_void, start + length - first, libc::MADV_DONTNEED);
        }
    }
    0
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_program_goes_on_and_holds_less() {
        let resident = || {
            let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
            let line = text.lines().find(|line| line.starts_with("Rss:")).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
        };
        // Touches code all over: what formats, unwinds and resolves.
        let trace = std::backtrace::Backtrace::force_capture().to_string();
        let before = resident();
        super::give_back();
        let after = resident();
        assert!(after + 256 < before, "{before} kB before, {after} kB after");
        // All of it works as before, and a panic still finds its way.
        assert_eq!(std::backtrace::Backtrace::force_capture().to_string().is_empty(), trace.is_empty());
        assert!(std::panic::catch_unwind(|| panic!("wanted")).is_err());
    }
}

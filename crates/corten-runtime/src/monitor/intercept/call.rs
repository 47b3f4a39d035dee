//! Which call a number stands for, on each instruction set of the machines we run on.

/// A call that may be done for a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the kernel's")]
pub enum Call {
    Mknod,
    Mknodat,
    Setxattr,
    SchedSetscheduler,
    Mount,
    Bpf,
}

impl Call {
    /// Whether it may take much of the host's memory or time.
    pub fn is_heavy(self) -> bool {
        matches!(self, Call::Mount | Call::Bpf)
    }
}

/// `AUDIT_ARCH_*` of linux/audit.h, with the numbers of mknod, mknodat, setxattr, sched_setscheduler, mount and bpf; -1 for
/// a call that the instruction set lacks.
const NUMBERS: [(u32, [i32; 6]); 6] = [
    (0xc000_003e, [133, 259, 188, 144, 165, 321]), // x86_64
    (0x4000_0003, [14, 297, 226, 156, 21, 357]),   // i386
    (0xc000_00b7, [-1, 33, 5, 119, 40, 280]),      // aarch64
    (0x4000_0028, [14, 324, 226, 156, 21, 386]),   // arm
    (0x8000_0016, [14, 290, 224, 156, 21, 351]),   // s390x
    (0xc000_0015, [14, 288, 209, 156, 21, 361]),   // ppc64le
];

/// Calls of x32 have this bit, under the same `AUDIT_ARCH_X86_64`, and the same numbers.
const X32: i32 = 0x4000_0000;

/// The call, if it is one of these.
pub fn named(arch: u32, number: i32) -> Option<Call> {
    const CALLS: [Call; 6] =
        [Call::Mknod, Call::Mknodat, Call::Setxattr, Call::SchedSetscheduler, Call::Mount, Call::Bpf];
    let number = if arch == NUMBERS[0].0 { number & !X32 } else { number };
    let (_, numbers) = NUMBERS.iter().find(|(of, _)| *of == arch)?;
    let index = numbers.iter().position(|known| *known == number && number >= 0)?;
    Some(CALLS[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_means_another_call_on_another_instruction_set() {
        assert_eq!(named(0xc000_003e, 133), Some(Call::Mknod));
        assert_eq!(named(0xc000_003e, X32 | 259), Some(Call::Mknodat));
        assert_eq!(named(0x4000_0003, 14), Some(Call::Mknod));
        assert_eq!(named(0xc000_003e, 14), None);
        assert_eq!(named(0xc000_00b7, -1), None);
        assert_eq!(named(0xc000_00b7, 119), Some(Call::SchedSetscheduler));
        assert_eq!((named(0xc000_003e, 165), named(0x4000_0003, 21)), (Some(Call::Mount), Some(Call::Mount)));
        assert_eq!((named(0xc000_003e, 321), named(0xc000_00b7, 280)), (Some(Call::Bpf), Some(Call::Bpf)));
        assert_eq!(named(1, 133), None);
    }
}

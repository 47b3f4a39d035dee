//! Which call a number stands for, on each instruction set of the machines we run on.

/// A call that may be done for a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the kernel's")]
pub enum Call {
    Mknod,
    Mknodat,
    Setxattr,
    SchedSetscheduler,
}

/// `AUDIT_ARCH_*` of linux/audit.h, with the numbers of mknod, mknodat, setxattr and sched_setscheduler; -1 for a call that
/// the instruction set lacks.
const NUMBERS: [(u32, [i32; 4]); 6] = [
    (0xc000_003e, [133, 259, 188, 144]), // x86_64
    (0x4000_0003, [14, 297, 226, 156]),  // i386
    (0xc000_00b7, [-1, 33, 5, 119]),     // aarch64
    (0x4000_0028, [14, 324, 226, 156]),  // arm
    (0x8000_0016, [14, 290, 224, 156]),  // s390x
    (0xc000_0015, [14, 288, 209, 156]),  // ppc64le
];

/// Calls of x32 have this bit, under the same `AUDIT_ARCH_X86_64`, and the same numbers.
const X32: i32 = 0x4000_0000;

/// The call, if it is one of these.
pub fn named(arch: u32, number: i32) -> Option<Call> {
    const CALLS: [Call; 4] = [Call::Mknod, Call::Mknodat, Call::Setxattr, Call::SchedSetscheduler];
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
        assert_eq!(named(1, 133), None);
    }
}

//! Compiled programs run by a small machine here: what do they say about a call?

use super::*;
use crate::seccomp::Settings;

/// `struct seccomp_data` as words, and the program's answer to it.
fn answer(program: &[u8], architecture: u32, call: i32, arguments: &[u64]) -> u32 {
    let mut data = [0u8; 64];
    data[0..4].copy_from_slice(&call.to_ne_bytes());
    data[4..8].copy_from_slice(&architecture.to_ne_bytes());
    for (at, argument) in arguments.iter().enumerate() {
        data[16 + 8 * at..24 + 8 * at].copy_from_slice(&argument.to_ne_bytes());
    }
    let instructions: Vec<&[u8]> = program.chunks_exact(8).collect();
    let (mut at, mut accumulator) = (0usize, 0u32);
    loop {
        let one = instructions[at];
        let code = u16::from_ne_bytes([one[0], one[1]]);
        let (yes, no) = (usize::from(one[2]), usize::from(one[3]));
        let value = u32::from_ne_bytes(one[4..8].try_into().expect("4 bytes"));
        let index = usize::try_from(value).expect("small");
        let test = match code {
            0x20 => {
                accumulator = u32::from_ne_bytes(data[index..index + 4].try_into().expect("4 bytes"));
                None
            }
            0x54 => {
                accumulator &= value;
                None
            }
            0x05 => {
                at += index;
                None
            }
            0x06 => return value,
            0x15 => Some(accumulator == value),
            0x25 => Some(accumulator > value),
            0x35 => Some(accumulator >= value),
            0x45 => Some(accumulator & value != 0),
            other => panic!("instruction {other:#x}"),
        };
        at += 1 + test.map_or(0, |test| if test { yes } else { no });
    }
}

const ALLOW: u32 = 0x7fff_0000;
const KILL: u32 = 0;
const NOTIFY: u32 = 0x7fc0_0000;
const X86_64: u32 = 0xc000_003e;
const X86: u32 = 0x4000_0003;

fn errno(number: u32) -> u32 {
    0x0005_0000 | number
}

fn compiled(text: &str) -> Vec<u8> {
    compile(&text.parse().expect("a policy")).expect("it compiles")
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_default_policy_says_no_on_every_instruction_set() {
    let program = compiled(&Settings::default().text().expect("a text"));
    for (architecture, call, wanted) in [
        (X86_64, 0, ALLOW),
        (X86_64, 246, errno(38)),         // kexec_load
        (X86_64, 304, errno(38)),         // open_by_handle_at
        (X86, 283, errno(38)),            // kexec_load
        (X86, 342, errno(38)),            // open_by_handle_at
        (X86, 246, ALLOW),                // io_destroy
        (X86_64, 0x4000_0130, errno(38)), // open_by_handle_at of x32
    ] {
        assert_eq!(answer(&program, architecture, call, &[]), wanted, "{architecture:x} {call}");
    }
    // umount2 is 166 and 52, and MNT_FORCE is 1.
    for (architecture, call) in [(X86_64, 166), (X86, 52)] {
        assert_eq!(answer(&program, architecture, call, &[7, 0]), ALLOW);
        assert_eq!(answer(&program, architecture, call, &[7, 1 | 8]), errno(13));
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn sections_and_conditions_hold() {
    let program = compiled(
        "2\ndenylist\n[x86]\nmount errno 1\n[all]\nmknod notify [1,8192,SCMP_CMP_MASKED_EQ,61440]\nno_such_call errno 1\n",
    );
    assert_eq!(answer(&program, X86, 21, &[]), errno(1));
    assert_eq!(answer(&program, X86_64, 165, &[]), ALLOW);
    assert_eq!(answer(&program, X86_64, 133, &[0, 0o020_666]), NOTIFY);
    assert_eq!(answer(&program, X86_64, 133, &[0, 0o010_666]), ALLOW);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn long_lists_are_searched_as_a_tree_and_say_the_same() {
    let calls = ["read", "write", "openat", "close", "mmap", "exit", "exit_group", "brk", "futex", "getpid"];
    let many: String = (0..60).map(|number| format!("{number}\n")).collect();
    let program = compiled(&format!("1\nwhitelist\n{many}"));
    assert_eq!(answer(&program, X86_64, 59, &[]), ALLOW);
    assert_eq!(answer(&program, X86_64, 60, &[]), KILL);
    let program = compiled(&format!("2\nallowlist\n[all]\n{}\n", calls.join("\n")));
    assert_eq!(answer(&program, X86_64, 39, &[]), ALLOW);
    assert_eq!(answer(&program, X86_64, 57, &[]), KILL);
}

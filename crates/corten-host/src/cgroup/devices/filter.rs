//! The program that the kernel asks about each use of a device node on version 2, assembled here.
//!
//! Its context is `struct bpf_cgroup_dev_ctx`: a word with the access in the upper and the kind of node in the lower
//! half, then major and minor number. It answers 1 for yes and 0 for no. See `Documentation/bpf/standardization`.

use super::{Access, Node, Policy};

/// One instruction as the kernel takes it.
pub type Instruction = u64;

const LOAD_WORD: u8 = 0x61;
const AND: u8 = 0x57;
const SHIFT_RIGHT: u8 = 0x77;
const MOVE: u8 = 0xb7;
const MOVE_REGISTER: u8 = 0xbf;
const JUMP_UNLESS_EQUAL: u8 = 0x55;
const JUMP_IF_EQUAL: u8 = 0x15;
const EXIT: u8 = 0x95;

const BLOCK: i32 = 1;
const CHARACTER: i32 = 2;

// Registers: the answer, the context, then what is taken from it, and one to calculate in.
const ANSWER: u8 = 0;
const CONTEXT: u8 = 1;
const KIND: u8 = 2;
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;
const SCRATCH: u8 = 6;

fn instruction(code: u8, destination: u8, source: u8, offset: i16, value: i32) -> Instruction {
    let [low, high] = offset.to_ne_bytes();
    let [a, b, c, d] = value.to_ne_bytes();
    // Two bit fields share a byte, in the order in which the compiler lays them out.
    let pair = if cfg!(target_endian = "little") { destination | source << 4 } else { destination << 4 | source };
    u64::from_ne_bytes([code, pair, low, high, a, b, c, d])
}

/// The kernel's bits: 1 makes nodes, 2 reads, 4 writes.
fn bits(access: Access) -> i32 {
    i32::from(access.mknod) | i32::from(access.read) << 1 | i32::from(access.write) << 2
}

/// The program for `policy`.
pub fn assemble(policy: &Policy) -> Vec<Instruction> {
    let mut program = vec![
        instruction(LOAD_WORD, KIND, CONTEXT, 0, 0),
        instruction(MOVE_REGISTER, ACCESS, KIND, 0, 0),
        instruction(AND, KIND, 0, 0, 0xffff),
        instruction(SHIFT_RIGHT, ACCESS, 0, 0, 16),
        instruction(LOAD_WORD, MAJOR, CONTEXT, 4, 0),
        instruction(LOAD_WORD, MINOR, CONTEXT, 8, 0),
    ];
    for node in &policy.exceptions {
        program.extend(exception(node, policy.allow));
    }
    program.extend(answer(policy.allow));
    program
}

fn answer(allow: bool) -> [Instruction; 2] {
    [instruction(MOVE, ANSWER, 0, 0, i32::from(allow)), instruction(EXIT, 0, 0, 0, 0)]
}

/// Tests that lead to the opposite of the default, or past its end.
fn exception(node: &Node, default: bool) -> Vec<Instruction> {
    // Offsets are filled in when the length is known.
    let mut tests = vec![(JUMP_UNLESS_EQUAL, KIND, if node.block { BLOCK } else { CHARACTER })];
    let mut before = Vec::new();
    if node.access != Access::ALL || default {
        before.push(instruction(MOVE_REGISTER, SCRATCH, ACCESS, 0, 0));
        // To be allowed, all that is asked must be in the exception; to be denied, any of it.
        let (mask, test) =
            if default { (bits(node.access), JUMP_IF_EQUAL) } else { (!bits(node.access) & 7, JUMP_UNLESS_EQUAL) };
        before.push(instruction(AND, SCRATCH, 0, 0, mask));
        tests.push((test, SCRATCH, 0));
    }
    for (register, number) in [(MAJOR, node.major), (MINOR, node.minor)] {
        tests.extend(number.map(|number| (JUMP_UNLESS_EQUAL, register, number.cast_signed())));
    }
    let end = answer(!default);
    let count = tests.len();
    let jumps = tests.into_iter().enumerate().map(|(at, (code, register, value))| {
        let past = count - at - 1 + end.len();
        instruction(code, register, 0, i16::try_from(past).expect("an exception is a dozen instructions"), value)
    });
    before.into_iter().chain(jumps).chain(end).collect()
}

#[cfg(test)]
mod tests;

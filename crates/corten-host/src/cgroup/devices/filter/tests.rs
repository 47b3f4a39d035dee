//! Programs run by a small machine here, and compared with the policy itself.

use super::*;
use crate::cgroup::devices::{Rule, default_rules};

/// Runs a program of the instructions used here on a request; panics on any other.
fn run(program: &[Instruction], block: bool, major: u32, minor: u32, access: Access) -> bool {
    let kind = if block { BLOCK } else { CHARACTER };
    let context = [u64::from((bits(access) << 16 | kind).cast_unsigned()), u64::from(major), u64::from(minor)];
    let mut registers = [0u64; 11];
    let mut at = 0usize;
    loop {
        let [code, pair, low, high, a, b, c, d] = program[at].to_ne_bytes();
        let (destination, source) = (usize::from(pair & 15), usize::from(pair >> 4));
        let offset = i16::from_le_bytes([low, high]);
        let value = i64::from(i32::from_le_bytes([a, b, c, d])).cast_unsigned();
        at += 1;
        let jump = match code {
            LOAD_WORD => {
                assert_eq!(source, usize::from(CONTEXT));
                registers[destination] = context[usize::try_from(offset).expect("forward") / 4];
                false
            }
            AND => {
                registers[destination] &= value;
                false
            }
            SHIFT_RIGHT => {
                registers[destination] >>= value;
                false
            }
            MOVE => {
                registers[destination] = value;
                false
            }
            MOVE_REGISTER => {
                registers[destination] = registers[source];
                false
            }
            JUMP_UNLESS_EQUAL => registers[destination] != value,
            JUMP_IF_EQUAL => registers[destination] == value,
            EXIT => return registers[usize::from(ANSWER)] == 1,
            other => panic!("instruction {other:#x}"),
        };
        if jump {
            at += usize::try_from(offset).expect("only forward jumps");
        }
    }
}

/// What the policy says, read directly.
fn permits(policy: &Policy, block: bool, major: u32, minor: u32, access: Access) -> bool {
    let asked = bits(access);
    let hit = policy.exceptions.iter().any(|node| {
        let numbers =
            node.major.is_none_or(|number| number == major) && node.minor.is_none_or(|number| number == minor);
        let covered = if policy.allow { asked & bits(node.access) != 0 } else { asked & !bits(node.access) == 0 };
        node.block == block && numbers && covered
    });
    hit != policy.allow
}

#[test]
fn the_program_says_what_the_policy_says() {
    let denying = default_rules();
    let allowing =
        [Rule::deny("c 1:3 w"), Rule::deny("b *:* m"), Rule::deny("b 8:* r")].map(|rule| rule.expect("a rule"));
    for rules in [&denying[..], &allowing[..], &[]] {
        let policy = Policy::of(rules);
        let program = assemble(&policy);
        for (block, major, minor) in
            [(false, 1, 3), (false, 1, 4), (false, 136, 17), (true, 8, 0), (true, 7, 1), (false, 10, 229)]
        {
            for mask in 1..8 {
                let access = Access { mknod: mask & 1 != 0, read: mask & 2 != 0, write: mask & 4 != 0 };
                let says = run(&program, block, major, minor, access);
                assert_eq!(
                    says,
                    permits(&policy, block, major, minor, access),
                    "{policy:?} {block} {major}:{minor} {access:?}"
                );
            }
        }
    }
}

#[test]
fn instructions_are_the_kernels() {
    let program = assemble(&Policy::of(&[Rule::deny("a").expect("a rule"), Rule::allow("c 1:3 rwm").expect("a rule")]));
    let bytes: Vec<String> = program.iter().map(|word| format!("{:016x}", word.swap_bytes())).collect();
    let wanted = [
        "6112000000000000", // kind = word at 0
        "bf23000000000000", // access = kind
        "57020000ffff0000", // kind &= 0xffff
        "7703000010000000", // access >>= 16
        "6114040000000000", // major = word at 4
        "6115080000000000", // minor = word at 8
        "5502040002000000", // unless kind == 2, four further
        "5504030001000000",
        "5505020003000000",
        "b700000001000000", // yes
        "9500000000000000",
        "b700000000000000", // no
        "9500000000000000",
    ];
    assert_eq!(bytes, wanted);
}

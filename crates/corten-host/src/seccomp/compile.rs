//! From a policy to the program that the kernel runs at each system call, for all instruction sets of the machine.

use std::io::{Read, Seek};

use libseccomp::{ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall};

use super::policy::{Action, Architecture, Comparison, Condition, Policy, Rule};

/// Why a policy could not be compiled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// libseccomp refused a rule.
    #[error("compiling the seccomp rule for {call:?}: {source}")]
    Rule {
        /// The system call.
        call: String,
        /// What libseccomp said.
        source: libseccomp::error::SeccompError,
    },
    /// libseccomp failed otherwise.
    #[error("compiling a seccomp policy: {0}")]
    Library(#[from] libseccomp::error::SeccompError),
    /// The program could not be taken out of libseccomp.
    #[error("reading a compiled seccomp policy: {0}")]
    Io(#[from] std::io::Error),
}

/// More rules than this are searched as a tree instead of a list.
const MANY: usize = 32;

/// Instruction sets that this machine runs besides its own.
fn compatible(native: ScmpArch) -> &'static [ScmpArch] {
    match native {
        ScmpArch::X8664 => &[ScmpArch::X86, ScmpArch::X32],
        ScmpArch::Aarch64 => &[ScmpArch::Arm],
        ScmpArch::S390X => &[ScmpArch::S390],
        ScmpArch::Ppc64 => &[ScmpArch::Ppc],
        ScmpArch::Mips64 => &[ScmpArch::Mips, ScmpArch::Mips64N32],
        ScmpArch::Mipsel64 => &[ScmpArch::Mipsel, ScmpArch::Mipsel64N32],
        _ => &[],
    }
}

/// liblxc's names of instruction sets.
fn named(name: &str) -> Option<ScmpArch> {
    Some(match name {
        "x86" => ScmpArch::X86,
        "x86_64" => ScmpArch::X8664,
        "x32" => ScmpArch::X32,
        "arm" => ScmpArch::Arm,
        "arm64" | "aarch64" => ScmpArch::Aarch64,
        "ppc64le" => ScmpArch::Ppc64Le,
        "ppc64" => ScmpArch::Ppc64,
        "ppc" => ScmpArch::Ppc,
        "s390x" => ScmpArch::S390X,
        "s390" => ScmpArch::S390,
        "mips64" => ScmpArch::Mips64,
        "mips64n32" => ScmpArch::Mips64N32,
        "mips" => ScmpArch::Mips,
        "mipsel64" => ScmpArch::Mipsel64,
        "mipsel64n32" => ScmpArch::Mipsel64N32,
        "mipsel" => ScmpArch::Mipsel,
        "riscv64" => ScmpArch::Riscv64,
        "loongarch64" => ScmpArch::Loongarch64,
        _ => return None,
    })
}

/// The classic BPF program for `policy`: instructions of 8 bytes in the machine's byte order. Calls whose names this
/// libseccomp does not know are left out, as liblxc does.
///
/// # Errors
/// [`Error`] with the rule that libseccomp refused.
pub fn compile(policy: &Policy) -> Result<Vec<u8>, Error> {
    let native = ScmpArch::native();
    let mut filter = filter_for(policy, native, native)?;
    for architecture in compatible(native) {
        filter.merge(filter_for(policy, *architecture, native)?)?;
    }
    export(&filter)
}

fn filter_for(policy: &Policy, architecture: ScmpArch, native: ScmpArch) -> Result<ScmpFilterContext, Error> {
    let mut filter = ScmpFilterContext::new(action(policy.default))?;
    if architecture != native {
        filter.remove_arch(native)?;
        filter.add_arch(architecture)?;
    }
    let applies = |rule: &&Rule| match &rule.architecture {
        Architecture::All => true,
        Architecture::Named(name) => named(name) == Some(architecture),
    };
    let rules: Vec<&Rule> = policy.rules.iter().filter(applies).collect();
    if rules.len() > MANY {
        filter.set_ctl_optimize(2)?;
    }
    // libseccomp refuses rules that do the same as no rule.
    for rule in rules.into_iter().filter(|rule| rule.action != policy.default) {
        let Some(call) = number(&rule.call) else { continue };
        let conditions: Vec<ScmpArgCompare> = rule.conditions.iter().map(condition).collect();
        match filter.add_rule_conditional(action(rule.action), call, &conditions) {
            Ok(_) => {}
            // Numbers below 0 stand for calls that the machine's own instruction set lacks; this one lacks it too.
            Err(_) if call.as_raw_syscall() < 0 => {}
            Err(source) => return Err(Error::Rule { call: rule.call.clone(), source }),
        }
    }
    Ok(filter)
}

/// The call by its number on the machine's own instruction set; libseccomp translates it for others.
fn number(call: &str) -> Option<ScmpSyscall> {
    match call.parse::<i32>() {
        Ok(number) => Some(ScmpSyscall::from_raw_syscall(number)),
        Err(_) => ScmpSyscall::from_name(call).ok(),
    }
}

fn action(action: Action) -> ScmpAction {
    match action {
        Action::Allow => ScmpAction::Allow,
        Action::Kill => ScmpAction::KillThread,
        Action::Trap => ScmpAction::Trap,
        Action::Errno(number) => ScmpAction::Errno(number.into()),
        Action::Notify => ScmpAction::Notify,
    }
}

fn condition(condition: &Condition) -> ScmpArgCompare {
    let operator = match condition.comparison {
        Comparison::NotEqual => ScmpCompareOp::NotEqual,
        Comparison::Less => ScmpCompareOp::Less,
        Comparison::LessOrEqual => ScmpCompareOp::LessOrEqual,
        Comparison::Equal => ScmpCompareOp::Equal,
        Comparison::GreaterOrEqual => ScmpCompareOp::GreaterEqual,
        Comparison::Greater => ScmpCompareOp::Greater,
        Comparison::Masked(mask) => ScmpCompareOp::MaskedEqual(mask),
    };
    ScmpArgCompare::new(condition.argument.into(), operator, condition.value)
}

/// libseccomp 2.5 writes to descriptors only.
fn export(filter: &ScmpFilterContext) -> Result<Vec<u8>, Error> {
    let memory = rustix::fs::memfd_create("seccomp", rustix::fs::MemfdFlags::CLOEXEC).map_err(std::io::Error::from)?;
    filter.export_bpf(&memory)?;
    let (mut file, mut program) = (std::fs::File::from(memory), Vec::new());
    file.rewind()?;
    file.read_to_end(&mut program)?;
    Ok(program)
}

#[cfg(test)]
mod tests;

//! Steps that can be taken back: a change either ends whole, or each finished step is undone, last first.

use std::cell::{Cell, RefCell};

thread_local! {
    /// Which step of this thread is to fail (counted from 0), for [`fail_step`]; `None` outside tests.
    static FAIL_AT: Cell<Option<usize>> = const { Cell::new(None) };
    /// How many steps this thread has begun since [`fail_step`] was last called.
    static BEGUN: Cell<usize> = const { Cell::new(0) };
}

thread_local! {
    /// What this thread does when it begins its step of this number; see [`at_step`].
    static ACT_AT: RefCell<Option<(usize, Act)>> = const { RefCell::new(None) };
}

type Act = Box<dyn FnOnce()>;
type Way = Box<dyn FnOnce() -> Result<(), String> + Send>;

/// The way back from a change that is under way. Dropped without [`Undo::keep`], it undoes all finished steps.
///
/// It is a value: a function may return its `Undo`, and its caller [absorbs](Undo::absorb) it.
#[derive(Default)]
#[must_use]
pub struct Undo {
    steps: Vec<Done>,
}

/// A finished step.
struct Done {
    name: &'static str,
    way: Way,
    /// Its way back is only gone when nothing before it has failed.
    if_clean: bool,
}

impl Undo {
    /// Runs `work`; when it succeeds, remembers how to take it back. What `back` needs of the result is cloned
    /// out of it by `back`'s maker.
    ///
    /// # Errors
    /// That of `work`; nothing is remembered then. Under [`fail_step`], the error made by `E::from(Injected)`.
    pub fn step<T, E, F>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<T, E>,
        back: impl FnOnce(&T) -> F,
    ) -> Result<T, E>
    where
        F: FnOnce() -> Result<(), String> + Send + 'static,
        E: From<Injected>,
    {
        reach(name)?;
        let made = work()?;
        let way = back(&made);
        self.steps.push(Done { name, way: Box::new(way), if_clean: false });
        Ok(made)
    }

    /// Remembers a way back for something that has been done already.
    pub fn push(&mut self, name: &'static str, back: impl FnOnce() -> Result<(), String> + Send + 'static) {
        self.steps.push(Done { name, way: Box::new(back), if_clean: false });
    }

    /// As [`Undo::push`], of a way back that is only gone when everything after it could be taken back: what tells of a
    /// change must stay as long as anything of it is left.
    pub fn push_if_clean(&mut self, name: &'static str, back: impl FnOnce() -> Result<(), String> + Send + 'static) {
        self.steps.push(Done { name, way: Box::new(back), if_clean: true });
    }

    /// Takes over the steps of `other`, which came after the own ones.
    pub fn absorb(&mut self, mut other: Undo) {
        self.steps.append(&mut other.steps);
    }

    /// The change is whole: nothing is to be taken back any more.
    pub fn keep(mut self) {
        self.steps.clear();
    }

    /// Takes everything back now, last step first, and lists the steps that could not be undone.
    pub fn unwind(mut self) -> Vec<String> {
        self.run()
    }

    fn run(&mut self) -> Vec<String> {
        let mut failures = Vec::new();
        while let Some(Done { name, way, if_clean }) = self.steps.pop() {
            if if_clean && !failures.is_empty() {
                continue;
            }
            if let Err(reason) = way() {
                failures.push(format!("undoing \"{name}\": {reason}"));
            }
        }
        failures
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        for failure in self.run() {
            eprintln!("{failure}");
        }
    }
}

/// The failure that a test put into a step; see [`fail_step`].
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("step \"{0}\" was made to fail by a test")]
pub struct Injected(pub &'static str);

/// A step without a way back (the last one, or one that only looks), which tests can still make fail.
///
/// # Errors
/// [`Injected`] under [`fail_step`] when this step's turn has come.
pub fn reach(name: &'static str) -> Result<(), Injected> {
    let at = BEGUN.with(|begun| begun.replace(begun.get() + 1));
    if let Some((_, act)) = ACT_AT.with(|act| act.borrow_mut().take_if(|(step, _)| *step == at)) {
        act();
    }
    match FAIL_AT.with(Cell::get) {
        Some(step) if step == at => Err(Injected(name)),
        _ => Ok(()),
    }
}

/// Makes the `step`th step that this thread begins from now on fail (`None`: no more failures). For tests.
pub fn fail_step(step: Option<usize>) {
    BEGUN.with(|begun| begun.set(0));
    FAIL_AT.with(|at| at.set(step));
}

/// Calls `act` when this thread begins its `step`th step (counted from 0) from now on. For tests that look at what is
/// there in the middle of a change, such as what a daemon leaves that is killed there.
pub fn at_step(step: usize, act: impl FnOnce() + 'static) {
    BEGUN.with(|begun| begun.set(0));
    ACT_AT.with(|at| at.replace(Some((step, Box::new(act)))));
}

/// Runs `work` once for each of its steps with that step failing, and calls `check_clean` after each run with the
/// failed step's number; then runs it once whole. The test that every verb must have.
///
/// # Panics
/// When a run with an injected failure succeeds, or the whole run fails: both are defects.
pub fn every_step_unwinds<T, E: std::fmt::Display>(
    mut work: impl FnMut() -> Result<T, E>,
    mut check_clean: impl FnMut(usize),
) -> T {
    for step in 0.. {
        fail_step(Some(step));
        let outcome = work();
        let begun = BEGUN.with(Cell::get);
        fail_step(None);
        match outcome {
            Err(error) if begun == step + 1 => {
                assert!(error.to_string().contains("was made to fail by a test"), "step {step}: {error}");
                check_clean(step);
            }
            Err(error) => panic!("the work fails by itself before step {step}: {error}"),
            Ok(made) => {
                assert!(begun <= step, "step {step} failed, and the work went on as if it had not");
                return made;
            }
        }
    }
    unreachable!("the range has no end")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Debug, thiserror::Error)]
    #[error(transparent)]
    struct Failed(#[from] Injected);

    fn three_steps(log: &Arc<Mutex<Vec<u8>>>) -> Result<(), Failed> {
        let mut undo = Undo::default();
        for n in 1..=3 {
            let (taken, back) = (log.clone(), log.clone());
            undo.step(
                "push a number",
                || {
                    taken.lock().expect("not poisoned").push(n);
                    Ok::<_, Failed>(())
                },
                |()| {
                    move || {
                        let popped = back.lock().expect("not poisoned").pop();
                        (popped == Some(n)).then_some(()).ok_or_else(|| format!("{popped:?} is not {n}"))
                    }
                },
            )?;
        }
        undo.keep();
        Ok(())
    }

    #[test]
    fn a_failing_step_takes_back_all_before_it_and_a_whole_run_keeps_all() {
        let log = Arc::new(Mutex::new(Vec::new()));
        let mut checked = 0;
        every_step_unwinds(
            || three_steps(&log),
            |_| {
                assert!(log.lock().expect("not poisoned").is_empty());
                checked += 1;
            },
        );
        assert_eq!((checked, log.lock().expect("not poisoned").len()), (3, 3));
    }

    #[test]
    fn what_tells_of_a_change_stays_while_anything_of_it_is_left() {
        for (fails, stays) in [(false, false), (true, true)] {
            let told = Arc::new(Mutex::new(true));
            let (mut undo, silence) = (Undo::default(), told.clone());
            undo.push_if_clean("tell", move || {
                *silence.lock().expect("not poisoned") = false;
                Ok(())
            });
            undo.push("work", move || if fails { Err("no room".to_string()) } else { Ok(()) });
            assert_eq!(undo.unwind().len(), usize::from(fails));
            assert_eq!(*told.lock().expect("not poisoned"), stays);
        }
    }
}

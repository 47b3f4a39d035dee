//! The form in which keys are declared.

/// Declares keys: a typed handle for each, and a slice with all of them.
///
/// ```text
/// keys! {
///     /// What an instance may use of the host.
///     pub LIMITS {
///         /// Which CPUs, or how many.
///         LIMITS_CPU: CpuLimit = "limits.cpu" { live: Live::Apply(Aspect::Cpu) };
///         /// When memory may be taken back.
///         LIMITS_MEMORY_ENFORCE: OneOf = "limits.memory.enforce" of (OneOf(&["soft", "hard"])) { default: "hard" };
///     }
/// }
/// ```
///
/// `of` gives a type's parameters; the braces hold [`crate::key::Facts`] that differ from those of
/// [`crate::key::Facts::new`].
macro_rules! keys {
    (@kind $kind:path) => { $kind };
    (@kind $kind:path, $value:expr) => { $value };
    (
        $(#[doc = $about:literal])+
        $slice:ident {
            $(
                $(#[doc = $doc:literal])+
                $name:ident: $kind:path = $key:literal $(of ($value:expr))? $({ $($field:ident: $fact:expr),* $(,)? })?;
            )*
        }
    ) => {
        $(
            $(#[doc = $doc])+
            pub static $name: $crate::key::Key<$kind> = $crate::key::Key {
                kind: $crate::table::keys!(@kind $kind $(, $value)?),
                facts: $crate::key::Facts {
                    $($($field: $fact,)*)?
                    ..$crate::key::Facts::new($key, &[$($doc),+])
                },
            };
        )*

        $(#[doc = $about])+
        pub static $slice: &[&dyn $crate::key::AnyKey] = &[$(&$name),*];
    };
}

pub(crate) use keys;

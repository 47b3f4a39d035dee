//! Status codes of instances and operations, with their names.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $code:literal $text:literal;)*) => {
        /// The state of an instance or an operation; 100 to 199 pass, 200 and above are final.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum StatusCode { $($(#[$doc])* $name,)* }

        impl StatusCode {
            /// The number on the wire.
            pub fn code(self) -> i64 {
                match self { $(StatusCode::$name => $code,)* }
            }

            /// The name that LXD shows.
            pub fn name(self) -> &'static str {
                match self { $(StatusCode::$name => $text,)* }
            }

            /// The status with this number, if there is one.
            pub fn from_code(code: i64) -> Option<StatusCode> {
                match code { $($code => Some(StatusCode::$name),)* _ => None }
            }

            /// The status with this name, if there is one.
            pub fn from_name(name: &str) -> Option<StatusCode> {
                match name { $($text => Some(StatusCode::$name),)* _ => None }
            }
        }
    };
}

statuses! {
    /// Not a status: what a reply without the field reads as.
    #[default]
    Unknown = 0 "";
    /// An operation was made.
    OperationCreated = 100 "Operation created";
    /// It has begun.
    Started = 101 "Started";
    /// An instance that does not run.
    Stopped = 102 "Stopped";
    /// An instance or operation that runs.
    Running = 103 "Running";
    /// An operation being cancelled.
    Cancelling = 104 "Cancelling";
    /// An operation that has not begun.
    Pending = 105 "Pending";
    /// An instance being started.
    Starting = 106 "Starting";
    /// An instance being stopped.
    Stopping = 107 "Stopping";
    /// An instance being aborted.
    Aborting = 108 "Aborting";
    /// An instance being frozen.
    Freezing = 109 "Freezing";
    /// A frozen instance.
    Frozen = 110 "Frozen";
    /// An instance just thawed.
    Thawed = 111 "Thawed";
    /// An instance whose state cannot be had.
    Error = 112 "Error";
    /// A running instance that said it is ready.
    Ready = 113 "Ready";
    /// It ended well.
    Success = 200 "Success";
    /// It ended badly.
    Failure = 400 "Failure";
    /// It was cancelled.
    Cancelled = 401 "Cancelled";
}

impl StatusCode {
    /// Whether nothing follows after this status.
    pub fn is_final(self) -> bool {
        self.code() >= 200
    }
}

impl Serialize for StatusCode {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(self.code())
    }
}

impl<'de> Deserialize<'de> for StatusCode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<StatusCode, D::Error> {
        let code = i64::deserialize(from)?;
        StatusCode::from_code(code).ok_or_else(|| serde::de::Error::custom(format!("{code} is not a status code")))
    }
}

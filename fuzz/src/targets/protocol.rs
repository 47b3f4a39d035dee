//! What daemon and monitor say to each other.

use corten_runtime::Spec;
use corten_runtime::protocol::{Reply, Report, Request};

pub fn run(data: &[u8]) {
    if let Ok(request) = serde_json::from_slice::<Request>(data) {
        let again = serde_json::to_vec(&request).expect("what was read can be written");
        assert_eq!(serde_json::from_slice::<Request>(&again).expect("read again"), request);
    }
    let _ = serde_json::from_slice::<Reply>(data);
    let _ = serde_json::from_slice::<Report>(data);
    let _ = serde_json::from_slice::<Spec>(data);
}

//! What clients say on the control websocket of a command or console.

use corten_api::instance_console::InstanceConsoleControl;
use corten_api::instance_exec::InstanceExecControl;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(said) = serde_json::from_str::<InstanceExecControl>(text) {
        let again = serde_json::to_string(&said).expect("what was read can be written");
        let again: InstanceExecControl = serde_json::from_str(&again).expect("read again");
        assert_eq!(again, said);
        // As the daemon reads what is in it.
        let _ = i32::try_from(said.signal);
        for value in said.args.values() {
            let _ = value.parse::<i64>();
        }
    }
    let _ = serde_json::from_str::<InstanceConsoleControl>(text);
}

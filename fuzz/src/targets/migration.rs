//! What another server says in a migration: the messages of the control channel, and the documents before the data.

use prost::Message;

use crate::app::migration::index;
use crate::app::migration::wire::{Control, Features, Header, Snapshot, id_map};

pub fn run(data: &[u8]) {
    if let Ok(header) = Header::decode(data) {
        let again = Header::decode(header.encode_to_vec().as_slice());
        assert_eq!(again.as_ref(), Ok(&header), "what is written is read the same");
        let agreed = Features::ours(true).common(header.features);
        assert_eq!(agreed, Features::ours(true).common(Some(agreed)), "who agrees to it agrees again");
        if let Ok(map) = id_map(&header.idmap) {
            assert!(map.entries.iter().all(|entry| entry.checked().is_some()), "{map:?}");
        }
        header.snapshots.iter().for_each(|snapshot| drop(snapshot.devices()));
    }
    let _ = Control::decode(data);
    let _ = Snapshot::decode(data).map(|snapshot| snapshot.devices());
    if let Ok(told) = index::read(data) {
        let text = index::write(told.clone()).expect("what is read can be written");
        assert_eq!(index::read(&text).expect("a header"), told);
    }
    let _ = index::judge(data);
}

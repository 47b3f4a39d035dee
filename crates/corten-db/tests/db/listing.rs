//! How long a list of a thousand instances takes; printed, not judged.

use std::time::Instant;

use corten_db::error::DbError;
use corten_db::table::instances;

use crate::scratch;
use crate::tables::sample;

#[test]
fn a_thousand_instances() {
    let (_folder, db) = scratch::new();
    let started = Instant::now();
    for batch in 0..10 {
        db.write(|tx| -> Result<(), DbError> {
            for number in 0..100 {
                instances::insert(tx, &sample::instance(&format!("c{batch}-{number}")), "default")?;
            }
            Ok(())
        })
        .expect("writes");
    }
    println!("inserting 1000 instances: {:?}", started.elapsed());
    for round in ["cold", "warm"] {
        let started = Instant::now();
        let list = db.view(|view| instances::list(view, Some("default"))).expect("lists");
        println!("listing 1000 instances with config, devices and profiles, {round}: {:?}", started.elapsed());
        assert_eq!(list.len(), 1000);
        assert!(list.iter().all(|instance| instance.config.len() == 6 && instance.devices.len() == 2));
    }
}

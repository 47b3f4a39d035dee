//! Times of pool verbs on an image, for measuring by hand: `time DRIVER LXD_DIR META [ROOTFS]`.
use corten_archive::watch::Watch;
use corten_storage::{driver::View, fill::{Fill, ImageFiles}, pool::Pool, volume::{Kind, Volume}};
use std::time::Instant;
fn main() {
    let mut args = std::env::args().skip(1);
    let (driver, dir, meta) = (args.next().unwrap(), args.next().unwrap(), args.next().unwrap());
    let files = ImageFiles { meta: meta.into(), rootfs: args.next().map(Into::into) };
    let t = |name: &str, f: &mut dyn FnMut()| { let s = Instant::now(); f(); println!("{name:20} {:.3} ms", s.elapsed().as_secs_f64() * 1e3); };
    let mut pool = None;
    t("pool", &mut || { let (p, u) = Pool::create(&driver, "p", dir.as_ref(), &mut Default::default()).unwrap(); u.keep(); pool = Some(p); });
    let pool = pool.unwrap();
    let w = Watch::default();
    t("image", &mut || pool.ensure_image("abc", &files, &w).unwrap());
    for n in 0..5 {
        let c = Volume::new(Kind::Container, format!("c{n}")).owned_by(100000);
        t("create", &mut || pool.create_volume(&c, &Fill::Image { fingerprint: "abc", files: &files }, &w).unwrap().keep());
        t("mount", &mut || { let m = pool.mount_volume(&c, View::Content).unwrap(); std::fs::write(m.path().join("rootfs/x"), "x").unwrap(); m.release().unwrap() });
        t("root", &mut || { pool.root(&c).unwrap(); pool.release_root(&c); });
        t("snapshot", &mut || pool.snapshot_volume(&c, "s", &w).unwrap().keep());
        let d = Volume::new(Kind::Container, format!("d{n}"));
        t("copy", &mut || pool.create_volume(&d, &Fill::Copy { pool: &pool, source: &c, snapshots: &[] }, &w).unwrap().keep());
        t("restore", &mut || pool.restore_volume(&c, "s", &w).unwrap());
        t("delete snapshot", &mut || pool.delete_snapshot(&c, "s").unwrap());
        t("delete", &mut || pool.delete_volume(&c).unwrap());
        t("delete copy", &mut || pool.delete_volume(&d).unwrap());
    }
    t("delete pool", &mut || pool.delete().unwrap());
}

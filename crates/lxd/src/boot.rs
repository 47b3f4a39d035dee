//! The daemon's life: from its command line to its last breath.

pub mod logging;
pub mod shutdown;
pub mod step;
pub mod systemd;
pub mod tasks;
pub mod warnings;

use crate::app::App;
use crate::app::apparmor::AppArmor;
use crate::app::database::db_error;
use crate::app::dirs::Dirs;
use crate::app::facts::Host;
use crate::app::images::Images;
use crate::app::instances::Instances;
use crate::app::ready::{Ready, Stage};
use crate::app::settings::Settings;
use crate::app::storage::pools::Pools;
use crate::auth::authority::Authority;
use crate::auth::trust::TrustStore;
use crate::rest::events::Events;
use crate::rest::operations::Operations;
use crate::rest::tls::Identity;
use crate::rest::turn::Turns;
use corten_api::error::{Context, Result};
use corten_db::{Db, Opening};
use std::sync::{Arc, OnceLock};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

/// What the command line says about the daemon.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The group that may use the unix socket.
    pub group: Option<String>,
}

/// How many threads serve sockets; more would only wait for each other, since handlers have threads of their own.
const SOCKET_THREADS: usize = 2;
/// How many threads handlers may have at once.
const HANDLER_THREADS: usize = 256;

pub(crate) fn runtime() -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(SOCKET_THREADS)
        .max_blocking_threads(HANDLER_THREADS)
        .thread_name("lxd")
        .enable_all()
        .build()
        .context("Failed to start the threads that serve sockets")
}

/// Brings everything into memory that must be there before the first request.
pub(crate) fn open(dirs: Dirs, runtime: &Runtime, events: Arc<Events>) -> Result<Arc<App>> {
    dirs.make()?;
    let extensions = corten_api::extensions::announced().count();
    let opening = Opening::here(i64::try_from(extensions).unwrap_or(0));
    let host = Host::look(&dirs.var);
    // The key takes a moment to make, as the database does.
    let (identity, db) = std::thread::scope(|scope| {
        let identity = scope.spawn(|| Identity::load_or_make(&dirs.var, "server", &host.name));
        let db = Db::open(&dirs.database(), &opening).map_err(db_error);
        (identity.join(), db)
    });
    let identity = identity.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let db = db?;
    let settings = Settings::load(&db)?;
    let authority = Authority::load(&dirs.var)?;
    let runtime = runtime.handle().clone();
    let operations = Operations::new(runtime.clone(), events.clone());
    Ok(Arc::new(App {
        apparmor: AppArmor::look(&dirs),
        dirs,
        db,
        runtime,
        events,
        operations,
        settings,
        trust: TrustStore::under(authority),
        identity,
        host,
        ready: Ready::default(),
        instances: Instances::new()?,
        images: Images::default(),
        pools: Pools::default(),
        https: OnceLock::new(),
        metrics: OnceLock::new(),
        dns: OnceLock::new(),
        changes: Turns::default(),
        end: shutdown::End::default(),
        server_view: crate::routes::server::Cache::default(),
    }))
}

/// Runs the daemon until a signal or `lxd shutdown` ends it.
///
/// # Errors
/// When it cannot start, with the step that failed.
pub fn run(options: &Options, events: Arc<Events>) -> Result<()> {
    // Two socket threads allocate all the time; the others are short-lived.
    corten_host::syscall::allocator::limit_arenas(2);
    let runtime = runtime()?;
    let app = open(Dirs::from_env(), &runtime, events)?;
    let outcome = serve(&app, options);
    // Handlers that still run are not waited for: what matters is on disk.
    runtime.shutdown_background();
    outcome
}

fn serve(app: &Arc<App>, options: &Options) -> Result<()> {
    tracing::info!("LXD is starting");
    for step in step::STEPS {
        let started = std::time::Instant::now();
        (step.run)(app, options).with_context(|| format!("Failed to start ({})", step.name))?;
        tracing::debug!(step = step.name, microseconds = started.elapsed().as_micros(), "Step done");
    }
    app.ready.reach(Stage::Ready);
    systemd::notify("READY=1");
    tracing::info!("Daemon started");
    app.runtime.clone().block_on(until_the_end(app))
}

/// Waits for the reason to end: SIGPWR and `lxd shutdown` stop the instances first, other signals leave them running.
async fn until_the_end(app: &Arc<App>) -> Result<()> {
    let hear = |kind| signal(kind).context("Failed to listen for signals");
    let mut terminate = hear(SignalKind::terminate())?;
    let mut interrupt = hear(SignalKind::interrupt())?;
    let mut quit = hear(SignalKind::quit())?;
    let mut power = hear(SignalKind::from_raw(POWER_FAILURE))?;
    let mut child = hear(SignalKind::child())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = quit.recv() => break,
            _ = power.recv() => {
                let ended = shutdown::begin(app, false)?;
                return ended.await.unwrap_or(Ok(()));
            }
            _ = child.recv() => (),
            () = app.end.reached() => return Ok(()),
        }
    }
    app.ready.reach(Stage::ShuttingDown);
    systemd::notify("STOPPING=1");
    app.operations.close();
    systemd::remove_socket(&app.dirs.socket);
    Ok(())
}

/// `SIGPWR` of signal(7), which rustix and tokio do not name.
const POWER_FAILURE: i32 = 30;

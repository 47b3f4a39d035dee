//! Proxy devices: every protocol, both directions, processes that outlive the daemon, and rules in place of a process.
#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use stories::daemon::Daemon;
use stories::story;

fn init_pid(daemon: &Daemon, name: &str) -> u64 {
    daemon.get(&format!("/1.0/instances/{name}/state"))["pid"].as_u64().expect("it runs")
}

/// Makes something in the container's network; sockets stay there.
fn inside<T: Send>(pid: u64, make: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            let network = std::fs::File::open(format!("/proc/{pid}/ns/net")).expect("it runs");
            move_into_link_name_space(rustix::fd::AsFd::as_fd(&network), Some(LinkNameSpaceType::Network))
                .expect("we are root");
            make()
        });
        thread.join().expect("it does not panic")
    })
}

/// Answers each connection with what it said.
fn echo(mut stream: impl Read + Write) {
    let mut data = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut data) {
        if stream.write_all(&data[..length]).is_err() {
            return;
        }
    }
}

fn serve_tcp(pid: u64, port: u16) {
    let listener = inside(pid, || TcpListener::bind(("127.0.0.1", port)).expect("it is free"));
    std::thread::spawn(move || {
        listener.incoming().flatten().for_each(|stream| drop(std::thread::spawn(|| echo(stream))))
    });
}

fn serve_udp(pid: u64, port: u16) {
    let socket = inside(pid, || UdpSocket::bind(("127.0.0.1", port)).expect("it is free"));
    std::thread::spawn(move || {
        let mut data = [0; 2048];
        while let Ok((length, sender)) = socket.recv_from(&mut data) {
            let _ = socket.send_to(&data[..length], sender);
        }
    });
}

fn serve_unix(path: &Path) {
    let listener = UnixListener::bind(path).expect("it is free");
    std::thread::spawn(move || {
        listener.incoming().flatten().for_each(|stream| drop(std::thread::spawn(|| echo(stream))))
    });
}

/// What comes back of a megabyte.
fn ask(mut stream: impl Read + Write + Clone2 + Send + 'static, end: impl FnOnce()) -> bool {
    let sent: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let mut writer = stream.twice();
    let text = sent.clone();
    let writing = std::thread::spawn(move || writer.write_all(&text));
    let mut got = vec![0; sent.len()];
    let read = stream.read_exact(&mut got);
    let wrote = writing.join().expect("it does not panic");
    end();
    read.is_ok() && wrote.is_ok() && got == sent
}

/// Streams that can be had twice.
trait Clone2 {
    fn twice(&self) -> Self;
}

impl Clone2 for TcpStream {
    fn twice(&self) -> TcpStream {
        self.try_clone().expect("a descriptor")
    }
}

impl Clone2 for UnixStream {
    fn twice(&self) -> UnixStream {
        self.try_clone().expect("a descriptor")
    }
}

fn ask_tcp(port: u16) -> bool {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the proxy listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time");
    let other = stream.twice();
    let whole = ask(stream, || {
        let _ = other.shutdown(Shutdown::Write);
    });
    let mut rest = Vec::new();
    // The end is passed on: nothing more comes.
    whole && (&other).read_to_end(&mut rest).is_ok() && rest.is_empty()
}

fn ask_unix(path: &Path) -> bool {
    let stream = UnixStream::connect(path).expect("the proxy listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time");
    ask(stream, || {})
}

fn ask_udp(port: u16) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a time");
    socket.send_to(b"a datagram", ("127.0.0.1", port)).expect("it can be sent");
    let mut data = [0; 100];
    let length = socket.recv(&mut data).unwrap_or(0);
    String::from_utf8_lossy(&data[..length]).into_owned()
}

fn proxy(daemon: &Daemon, name: &str, options: &[&str]) -> stories::run::Ran {
    daemon.lxc(["config", "device", "add", "c1", name, "proxy"].iter().chain(options))
}

fn proxies(host: &stories::isolation::Host) -> usize {
    let found =
        host.sh("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -c '^\\[lxd proxy\\] c1' || true");
    found.trim().parse().expect("a number")
}

#[test]
fn connections_reach_the_container_and_outlive_the_daemon() {
    story(|host| {
        let mut daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let pid = init_pid(&daemon, "c1");
        serve_tcp(pid, 4321);
        serve_tcp(pid, 4322);
        serve_udp(pid, 4321);
        proxy(&daemon, "web", &["listen=tcp:127.0.0.1:7000-7001", "connect=tcp:127.0.0.1:4321-4322"]).ok();
        proxy(&daemon, "one", &["listen=tcp:127.0.0.1:7010,7012", "connect=tcp:127.0.0.1:4321"]).ok();
        proxy(&daemon, "dns", &["listen=udp:127.0.0.1:7053", "connect=udp:127.0.0.1:4321"]).ok();
        for port in [7000, 7001, 7010, 7012] {
            assert!(ask_tcp(port), "{port}");
        }
        assert_eq!(ask_udp(7053), "a datagram");

        // What is listened on already is refused, and nothing of the device stays.
        let refused = proxy(&daemon, "again", &["listen=tcp:127.0.0.1:7000", "connect=tcp:127.0.0.1:1"]);
        assert!(refused.refused().contains("Failed to listen on tcp:127.0.0.1:7000"), "{}", refused.err);
        assert_eq!(proxies(host), 3);

        daemon.kill();
        assert!(ask_tcp(7000));
        daemon.begin();
        assert_eq!(ask_udp(7053), "a datagram");
        daemon.lxc(["config", "device", "remove", "c1", "dns"]).ok();
        daemon.lxc(["config", "device", "set", "c1", "web", "connect=tcp:127.0.0.1:4322"]).ok();
        assert!(ask_tcp(7000));
        assert_eq!(proxies(host), 2);

        daemon.lxc(["restart", "-f", "c1"]).ok();
        serve_tcp(init_pid(&daemon, "c1"), 4322);
        assert!(ask_tcp(7001));
        daemon.lxc(["stop", "-f", "c1"]).ok();
        assert_eq!(proxies(host), 0);
        host.sh("test ! -e one/devices/c1");
        daemon.lxc(["delete", "c1"]).ok();
    });
}

#[test]
fn unix_sockets_are_proxied_in_both_directions() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let pid = init_pid(&daemon, "c1");
        let (client, server) = (host.folder().join("client.sock"), host.folder().join("server.sock"));
        host.sh("mkdir shared");
        let shared = format!("source={}", host.folder().join("shared").display());
        daemon.lxc(["config", "device", "add", "c1", "shared", "disk", &shared, "path=/shared"]).ok();
        serve_unix(&host.folder().join("shared/inside.sock"));
        serve_unix(&server);
        host.sh("chmod 666 server.sock shared/inside.sock");

        let listen = format!("listen=unix:{}", client.display());
        let options = [listen.as_str(), "connect=unix:/shared/inside.sock", "uid=1234", "gid=1235", "mode=0600"];
        proxy(&daemon, "in", &options).ok();
        assert_eq!(host.sh("stat -c %u:%g:%a client.sock").trim(), "1234:1235:600");
        assert!(ask_unix(&client));

        // Links in the container lead nowhere but in it.
        daemon.lxc(["exec", "c1", "--", "busybox", "ln", "-s", &server.to_string_lossy(), "/root/link.sock"]).ok();
        let outward = format!("listen=unix:{}", host.folder().join("outward.sock").display());
        proxy(&daemon, "outward", &[&outward, "connect=unix:/root/link.sock"]).ok();
        let mut stream = UnixStream::connect(host.folder().join("outward.sock")).expect("the proxy listens");
        assert_eq!(stream.read(&mut [0; 10]).unwrap_or(0), 0);

        // The other way round: owner and name are the container's.
        let connect = format!("connect=unix:{}", server.display());
        let options = [
            connect.as_str(),
            "listen=unix:/root/out.sock",
            "bind=instance",
            "uid=7",
            "security.uid=1000",
            "security.gid=1000",
        ];
        proxy(&daemon, "out", &options).ok();
        let owner = daemon.lxc(["exec", "c1", "--", "stat", "-c", "%u:%g:%a", "/root/out.sock"]);
        assert_eq!(owner.ok(), "7:0:644\n");
        assert!(ask_unix(Path::new(&format!("/proc/{pid}/root/root/out.sock"))));

        daemon.lxc(["config", "device", "remove", "c1", "in"]).ok();
        assert!(!client.exists());
        daemon.lxc(["delete", "-f", "c1"]).ok();
    });
}

#[test]
fn servers_are_told_who_connects() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        serve_tcp(init_pid(&daemon, "c1"), 80);
        proxy(&daemon, "web", &["listen=tcp:127.0.0.1:7000", "connect=tcp:127.0.0.1:80", "proxy_protocol=true"]).ok();
        let mut stream = TcpStream::connect("127.0.0.1:7000").expect("the proxy listens");
        let port = stream.local_addr().expect("an address").port();
        let wanted = format!("PROXY TCP4 127.0.0.1 127.0.0.1 {port} 7000\r\n");
        let mut got = vec![0; wanted.len()];
        stream.read_exact(&mut got).expect("it is echoed");
        assert_eq!(String::from_utf8_lossy(&got), wanted);
        drop(stream);
        daemon.lxc(["delete", "-f", "c1"]).ok();
    });
}

#[test]
fn nat_takes_rules_and_fixed_addresses() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["network", "create", "natbr0", "ipv4.address=10.77.0.1/24", "ipv6.address=none"]).ok();
        daemon.lxc(["init", "busybox", "c1", "-n", "natbr0"]).ok();
        daemon.lxc(["start", "c1"]).ok();
        let options = ["listen=tcp:192.0.2.1:80-81", "connect=tcp:0.0.0.0:8080", "nat=true"];
        let refused = proxy(&daemon, "web", &options);
        assert!(refused.refused().contains("has no static IPv4 address assigned"), "{}", refused.err);
        daemon.lxc(["stop", "-f", "c1"]).ok();
        daemon.lxc(["config", "device", "set", "c1", "eth0", "ipv4.address=10.77.0.9"]).ok();
        daemon.lxc(["start", "c1"]).ok();
        proxy(&daemon, "web", &options).ok();
        let rules = host.sh("nft list chain inet lxd prert.c1.web");
        assert!(rules.contains("ip daddr 192.0.2.1 tcp dport 80-81 dnat ip to 10.77.0.9:8080"), "{rules}");
        let other = ["listen=tcp:192.0.2.1:90", "connect=tcp:10.77.0.10:90", "nat=true"];
        assert!(
            proxy(&daemon, "other", &other).refused().contains("must be one of the instance's static IPv4 addresses")
        );
        daemon.lxc(["stop", "-f", "c1"]).ok();
        host.sh("! nft list chain inet lxd prert.c1.web 2>/dev/null");
        daemon.lxc(["start", "c1"]).ok();
        host.sh("nft list chain inet lxd pstrt.c1.web | grep -q 'ip saddr 10.77.0.9 ip daddr 10.77.0.9 tcp dport 8080 masquerade'");
        daemon.lxc(["delete", "-f", "c1"]).ok();
        host.sh("! nft list chain inet lxd prert.c1.web 2>/dev/null");
        daemon.lxc(["network", "delete", "natbr0"]).ok();
    });
}

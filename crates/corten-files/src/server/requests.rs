//! What each request of the protocol does.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::handles::Handle;
use super::{Answer, DATA_HEAD, Server, names, reply};
use crate::attributes::Attributes;
use crate::tree::clean;
use crate::wire::{PIECE, Rest, kind, open, status};

/// How many entries of a directory one packet carries at most.
const ENTRIES: usize = 256;

/// Permissions of what is made when the client names none.
const FILE_MODE: u32 = 0o644;
const FOLDER_MODE: u32 = 0o755;

fn done() -> Answer {
    Answer::Status(status::OK, String::new())
}

fn end() -> Answer {
    Answer::Status(status::EOF, "end of file".to_string())
}

fn path<'a>(rest: &mut Rest<'a>) -> io::Result<&'a Path> {
    let path = Path::new(OsStr::from_bytes(rest.string()?));
    // The home of who connects is the root.
    Ok(if path.as_os_str().is_empty() { Path::new("/") } else { path })
}

/// Answers one request.
///
/// # Errors
/// What becomes of it in the tree, or `InvalidData` for a packet that is too short.
pub fn answer(server: &mut Server<'_>, request: u8, mut rest: Rest<'_>) -> io::Result<Answer> {
    let tree = server.tree;
    match request {
        kind::OPEN => open_file(server, &mut rest),
        kind::CLOSE => server.handles.close(rest.string()?).map(|()| done()),
        kind::READ => read(server, &mut rest),
        kind::WRITE => write(server, &mut rest),
        kind::LSTAT => attributes(tree.stat(path(&mut rest)?, false)?),
        kind::STAT => attributes(tree.stat(path(&mut rest)?, true)?),
        kind::FSTAT => attributes(tree.stat_open(server.handles.get(rest.string()?)?.as_fd())?),
        kind::SETSTAT => {
            let at = path(&mut rest)?;
            tree.change(at, &Attributes::read(&mut rest)?).map(|()| done())
        }
        kind::FSETSTAT => {
            let handle = server.handles.get(rest.string()?)?.as_fd().try_clone_to_owned()?;
            tree.change_entry(&handle, &Attributes::read(&mut rest)?).map(|()| done())
        }
        kind::OPENDIR => {
            let open = tree.directory(path(&mut rest)?)?;
            let at = rustix::fs::Dir::read_from(&open)?;
            handle(server, Handle::Directory { open, at })
        }
        kind::READDIR => list(server, rest.string()?),
        kind::REMOVE => tree.remove(path(&mut rest)?, false).map(|()| done()),
        kind::RMDIR => tree.remove(path(&mut rest)?, true).map(|()| done()),
        kind::MKDIR => {
            let at = path(&mut rest)?;
            let mode = Attributes::read(&mut rest)?.permissions().unwrap_or(FOLDER_MODE);
            tree.mkdir(at, Mode::from_raw_mode(mode)).map(|()| done())
        }
        kind::REALPATH => {
            let clean = clean(path(&mut rest)?);
            Ok(names([(clean.as_os_str().as_bytes(), Attributes::default())]))
        }
        kind::RENAME => tree.rename(path(&mut rest)?, path(&mut rest)?, false).map(|()| done()),
        kind::READLINK => {
            let target = tree.read_link(path(&mut rest)?)?;
            Ok(names([(target.as_bytes(), Attributes::default())]))
        }
        // All that are in use send the target first, and so not what the draft says.
        kind::SYMLINK => {
            let target = OsStr::from_bytes(rest.string()?);
            tree.symlink(Path::new(target), path(&mut rest)?).map(|()| done())
        }
        kind::EXTENDED => extended(server, &mut rest),
        _ => Err(io::Error::from(io::ErrorKind::Unsupported)),
    }
}

fn attributes(attributes: Attributes) -> io::Result<Answer> {
    Ok(Answer::Packet(reply(kind::ATTRS).raw(&attributes.to_bytes())))
}

fn handle(server: &mut Server<'_>, handle: Handle) -> io::Result<Answer> {
    let name = server.handles.keep(handle)?;
    Ok(Answer::Packet(reply(kind::HANDLE).string(&name)))
}

fn open_file(server: &mut Server<'_>, rest: &mut Rest<'_>) -> io::Result<Answer> {
    let at = path(rest)?;
    let wanted = rest.number()?;
    let attributes = Attributes::read(rest)?;
    let has = |bit| wanted & bit != 0;
    let mut flags = match (has(open::READ), has(open::WRITE) || has(open::APPEND)) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        _ => OFlags::RDONLY,
    };
    for (bit, flag) in [
        (open::APPEND, OFlags::APPEND),
        (open::CREATE, OFlags::CREATE),
        (open::TRUNCATE, OFlags::TRUNC),
        (open::EXCLUSIVE, OFlags::EXCL),
    ] {
        if has(bit) {
            flags |= flag;
        }
    }
    let made = has(open::CREATE) && !server.tree.exists(at);
    let mode = Mode::from_raw_mode(attributes.permissions().unwrap_or(FILE_MODE));
    let file = server.tree.open(at, flags, mode)?;
    if made {
        server.tree.adopt(&file)?;
    }
    handle(server, Handle::File(file))
}

fn read(server: &mut Server<'_>, rest: &mut Rest<'_>) -> io::Result<Answer> {
    let (name, mut offset, length) = (rest.string()?, rest.large()?, rest.number()?);
    let wanted = usize::try_from(length).unwrap_or(PIECE).min(PIECE);
    let file = server.handles.file(name)?;
    if server.data.is_empty() {
        server.data = vec![0; DATA_HEAD + PIECE];
    }
    // As much as was asked for unless the file ends: files of /proc are given in small bites.
    let mut had = 0;
    while had < wanted {
        match rustix::io::pread(file, &mut server.data[DATA_HEAD + had..DATA_HEAD + wanted], offset) {
            Ok(0) => break,
            Ok(count) => {
                had += count;
                offset = offset.saturating_add(count as u64);
            }
            Err(rustix::io::Errno::INTR) => {}
            // What was read before is given; the next request meets the error again.
            Err(_) if had > 0 => break,
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(if had == 0 && wanted > 0 { end() } else { Answer::Data(had) })
}

fn write(server: &mut Server<'_>, rest: &mut Rest<'_>) -> io::Result<Answer> {
    let (name, mut offset, mut data) = (rest.string()?, rest.large()?, rest.string()?);
    let file = server.handles.file(name)?;
    while !data.is_empty() {
        match rustix::io::pwrite(file, data, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                data = &data[count..];
                offset = offset.saturating_add(count as u64);
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(done())
}

fn list(server: &mut Server<'_>, name: &[u8]) -> io::Result<Answer> {
    let tree = server.tree;
    let Handle::Directory { open, at } = server.handles.get(name)? else {
        return Err(rustix::io::Errno::NOTDIR.into());
    };
    let mut found = Vec::new();
    while found.len() < ENTRIES {
        let Some(entry) = at.read() else { break };
        let entry = entry?;
        let name = entry.file_name();
        if name.to_bytes() == b"." || name.to_bytes() == b".." {
            continue;
        }
        // What has gone meanwhile is not there.
        if let Ok(attributes) = tree.stat_in(open.as_fd(), name) {
            found.push((name.to_bytes().to_vec(), attributes));
        }
    }
    if found.is_empty() {
        return Ok(end());
    }
    Ok(names(found.iter().map(|(name, attributes)| (name.as_slice(), *attributes))))
}

fn extended(server: &mut Server<'_>, rest: &mut Rest<'_>) -> io::Result<Answer> {
    let tree = server.tree;
    match rest.string()? {
        b"posix-rename@openssh.com" => tree.rename(path(rest)?, path(rest)?, true).map(|()| done()),
        b"hardlink@openssh.com" => tree.hardlink(path(rest)?, path(rest)?).map(|()| done()),
        b"fsync@openssh.com" => {
            rustix::fs::fsync(server.handles.file(rest.string()?)?)?;
            Ok(done())
        }
        b"statvfs@openssh.com" => {
            let space = tree.space(path(rest)?)?;
            let numbers = [
                space.f_bsize,
                space.f_frsize,
                space.f_blocks,
                space.f_bfree,
                space.f_bavail,
                space.f_files,
                space.f_ffree,
                space.f_favail,
                space.f_fsid,
                // The protocol knows two flags: read-only and no set-user-id.
                space.f_flag.bits() & 3,
                space.f_namemax,
            ];
            let packet = numbers.into_iter().fold(reply(kind::EXTENDED_REPLY), |packet, number| packet.large(number));
            Ok(Answer::Packet(packet))
        }
        _ => Err(io::Error::from(io::ErrorKind::Unsupported)),
    }
}

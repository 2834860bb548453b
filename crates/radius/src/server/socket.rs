//! One UDP socket and its batches: SO_REUSEPORT sockets for several threads, recvmmsg and sendmmsg, the kernel's
//! receive time (SO_TIMESTAMPNS), and the address a request was sent to (IP_PKTINFO), from which the answer must
//! leave. The only file with `unsafe` in it.

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::packet::MAX_PACKET;

/// Datagrams taken and answered in one system call.
pub const BATCH: usize = 48;
/// Three cache lines off a power of two, so that the buffers of a batch do not share cache sets.
const STRIDE: usize = MAX_PACKET + 192;
const CONTROL: usize = 128;

/// Opens `count` sockets on one address. A first bind without SO_REUSEPORT makes sure that nobody else, such as a
/// second copy of the program, is there already and would take a share of the packets.
pub fn open(listen: SocketAddr, count: usize, receive_buffer: usize) -> io::Result<Vec<OwnedFd>> {
    let mut address = listen;
    if listen.port() != 0 {
        bind(listen, false, 0)?;
    }
    let mut sockets = Vec::with_capacity(count);
    for _ in 0..count.max(1) {
        let socket = bind(address, true, receive_buffer)?;
        address = socket.local_addr()?.as_socket().expect("a socket bound to an IP address");
        sockets.push(OwnedFd::from(socket));
    }
    Ok(sockets)
}

fn bind(address: SocketAddr, shared: bool, receive_buffer: usize) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if shared {
        socket.set_reuse_port(true)?;
        let fd = socket.as_raw_fd();
        set_option(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
        if address.ip().is_unspecified() {
            set_option(fd, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?;
            if address.is_ipv6() {
                set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
            }
        }
        set_receive_buffer(&socket, receive_buffer)?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Beyond rmem_max only with CAP_NET_ADMIN; else as much as there may be. What waits already stays.
pub fn set_receive_buffer(socket: &impl AsRawFd, bytes: usize) -> io::Result<()> {
    let (fd, bytes) = (socket.as_raw_fd(), bytes.min(i32::MAX as usize) as i32);
    set_option(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, bytes)
        .or_else(|_| set_option(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, bytes))
}

fn set_option(fd: RawFd, level: i32, name: i32, value: i32) -> io::Result<()> {
    // SAFETY: the pointer and size describe `value`, which outlives the call.
    let rc = unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), size_of::<i32>() as u32) };
    if rc == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

pub fn local_addr(fd: &OwnedFd) -> io::Result<SocketAddr> {
    let address = socket2::SockRef::from(fd).local_addr()?;
    address.as_socket().ok_or_else(|| io::Error::other("not an IP socket"))
}

/// Wall-clock nanoseconds, the clock of SO_TIMESTAMPNS.
pub fn wall_ns() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64)
}

/// The address of ours a datagram came to, where the socket listens on all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    pub ip: IpAddr,
    interface: u32,
}

/// A datagram of the last batch.
pub struct Datagram<'a> {
    pub bytes: &'a [u8],
    pub source: SocketAddr,
    pub local: Option<Local>,
    /// When the kernel took it in, on [`wall_ns`]'s clock.
    pub received_ns: Option<u64>,
}

/// Room for one cmsghdr chain, aligned as the kernel wants it.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

/// Buffers and headers of one batch. The headers point into the boxes, which never move.
pub struct Inbound {
    data: Box<[u8]>,
    names: Box<[libc::sockaddr_storage]>,
    controls: Box<[Control]>,
    _vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
}

impl Inbound {
    pub fn new() -> Inbound {
        let mut data = vec![0u8; BATCH * STRIDE].into_boxed_slice();
        // SAFETY: all-zero bytes are valid values of these C structs.
        let mut names: Box<[libc::sockaddr_storage]> = (0..BATCH).map(|_| unsafe { zeroed() }).collect();
        let mut controls = vec![Control([0; CONTROL]); BATCH].into_boxed_slice();
        let mut vectors: Box<[libc::iovec]> = data
            .chunks_exact_mut(STRIDE)
            .map(|slot| libc::iovec { iov_base: slot.as_mut_ptr().cast(), iov_len: MAX_PACKET })
            .collect();
        // SAFETY: as above.
        let mut headers: Box<[libc::mmsghdr]> = (0..BATCH).map(|_| unsafe { zeroed() }).collect();
        for (i, header) in headers.iter_mut().enumerate() {
            header.msg_hdr.msg_name = (&raw mut names[i]).cast();
            header.msg_hdr.msg_iov = &raw mut vectors[i];
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = (&raw mut controls[i]).cast();
        }
        Inbound { data, names, controls, _vectors: vectors, headers }
    }

    /// Waits for datagrams, at most the socket's read timeout or, if given, `wait`; 0 if none came.
    pub fn receive(&mut self, fd: &OwnedFd, wait: Option<Duration>) -> usize {
        let mut flags = libc::MSG_WAITFORONE;
        if let Some(wait) = wait {
            let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one pollfd, which outlives the call.
            unsafe { libc::poll(&raw mut poll, 1, wait.as_millis().min(1000) as i32) };
            flags = libc::MSG_DONTWAIT;
        }
        for header in self.headers.iter_mut() {
            header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_storage>() as u32;
            header.msg_hdr.msg_controllen = CONTROL as _;
        }
        // SAFETY: every header points at buffers of this struct with the sizes it states.
        let n = unsafe {
            libc::recvmmsg(fd.as_raw_fd(), self.headers.as_mut_ptr(), BATCH as u32, flags as _, std::ptr::null_mut())
        };
        if n > 0 {
            return n as usize;
        }
        let error = io::Error::last_os_error();
        if n < 0 && !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) {
            // Not to spin on an error that stays.
            std::thread::park_timeout(Duration::from_millis(10));
        }
        0
    }

    pub fn datagram(&self, i: usize) -> Option<Datagram<'_>> {
        let header = &self.headers[i];
        let len = (header.msg_len as usize).min(MAX_PACKET);
        let source = socket_addr(&self.names[i])?;
        #[allow(clippy::unnecessary_cast)] // u32 with musl, usize with glibc
        let control_len = (header.msg_hdr.msg_controllen as usize).min(CONTROL);
        let (received_ns, local) = read_control(&self.controls[i].0[..control_len]);
        Some(Datagram { bytes: &self.data[i * STRIDE..i * STRIDE + len], source, local, received_ns })
    }
}

/// The control messages' headers are `{ usize len, i32 level, i32 type }`, values follow, all padded to 8 (cmsg(3)).
fn read_control(mut rest: &[u8]) -> (Option<u64>, Option<Local>) {
    const HEAD: usize = size_of::<libc::cmsghdr>();
    let (mut time, mut local) = (None, None);
    while rest.len() >= HEAD {
        // SAFETY: HEAD bytes are there, and any bits are valid in a cmsghdr.
        let head: libc::cmsghdr = unsafe { std::ptr::read_unaligned(rest.as_ptr().cast()) };
        let len = head.cmsg_len as usize;
        let Some(value) = rest.get(HEAD..len) else { break };
        match (head.cmsg_level, head.cmsg_type) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                if let Some(stamp) = read::<libc::timespec>(value) {
                    time = Some(stamp.tv_sec as u64 * 1_000_000_000 + stamp.tv_nsec as u64);
                }
            }
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                if let Some(info) = read::<libc::in_pktinfo>(value) {
                    let ip = Ipv4Addr::from(info.ipi_spec_dst.s_addr.to_ne_bytes());
                    local = Some(Local { ip: ip.into(), interface: 0 });
                }
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                if let Some(info) = read::<libc::in6_pktinfo>(value) {
                    let ip = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                    let interface = if ip.is_unicast_link_local() { info.ipi6_ifindex } else { 0 };
                    local = Some(Local { ip: ip.into(), interface });
                }
            }
            _ => {}
        }
        rest = rest.get(len.next_multiple_of(8)..).unwrap_or(&[]);
    }
    (time, local)
}

/// One plain C struct out of bytes.
fn read<T: Copy>(value: &[u8]) -> Option<T> {
    // SAFETY: the bytes are there; only used with structs of plain integers.
    (value.len() >= size_of::<T>()).then(|| unsafe { std::ptr::read_unaligned(value.as_ptr().cast()) })
}

/// Answers waiting for one sendmmsg.
pub struct Outbound {
    data: Box<[u8]>,
    names: Box<[libc::sockaddr_storage]>,
    controls: Box<[Control]>,
    vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    count: usize,
}

impl Outbound {
    pub fn new() -> Outbound {
        let mut data = vec![0u8; BATCH * STRIDE].into_boxed_slice();
        // SAFETY: all-zero bytes are valid values of these C structs.
        let mut names: Box<[libc::sockaddr_storage]> = (0..BATCH).map(|_| unsafe { zeroed() }).collect();
        let mut vectors: Box<[libc::iovec]> = data
            .chunks_exact_mut(STRIDE)
            .map(|slot| libc::iovec { iov_base: slot.as_mut_ptr().cast(), iov_len: 0 })
            .collect();
        // SAFETY: as above.
        let mut headers: Box<[libc::mmsghdr]> = (0..BATCH).map(|_| unsafe { zeroed() }).collect();
        for (i, header) in headers.iter_mut().enumerate() {
            header.msg_hdr.msg_name = (&raw mut names[i]).cast();
            header.msg_hdr.msg_iov = &raw mut vectors[i];
            header.msg_hdr.msg_iovlen = 1;
        }
        let controls = vec![Control([0; CONTROL]); BATCH].into_boxed_slice();
        Outbound { data, names, controls, vectors, headers, count: 0 }
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_full(&self) -> bool {
        self.count == BATCH
    }

    /// Where the next answer is written; [`Outbound::commit`] keeps it. Send before the batch is full.
    pub fn slot(&mut self) -> &mut [u8] {
        &mut self.data[self.count * STRIDE..self.count * STRIDE + MAX_PACKET]
    }

    pub fn commit(&mut self, len: usize, target: SocketAddr, local: Option<Local>) {
        let i = self.count;
        self.vectors[i].iov_len = len.min(MAX_PACKET);
        let header = &mut self.headers[i].msg_hdr;
        header.msg_namelen = write_addr(&mut self.names[i], target);
        header.msg_controllen = 0;
        header.msg_control = std::ptr::null_mut();
        if let Some(local) = local {
            header.msg_controllen = write_local(&mut self.controls[i], local) as _;
            header.msg_control = (&raw mut self.controls[i]).cast();
        }
        self.count += 1;
    }

    pub fn copy(&mut self, answer: &[u8], target: SocketAddr, local: Option<Local>) {
        let answer = &answer[..answer.len().min(MAX_PACKET)];
        self.slot()[..answer.len()].copy_from_slice(answer);
        self.commit(answer.len(), target, local);
    }

    /// Sends what is waiting; returns how many could not be sent.
    pub fn send(&mut self, fd: &OwnedFd) -> usize {
        let (mut done, mut failed) = (0, 0);
        while done < self.count {
            let rest = &mut self.headers[done..self.count];
            // SAFETY: every header points at buffers of this struct with the sizes it states.
            let n = unsafe { libc::sendmmsg(fd.as_raw_fd(), rest.as_mut_ptr(), rest.len() as u32, 0) };
            if n > 0 {
                done += n as usize;
            } else if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                // The first of the rest cannot be sent (no route, say): leave it out, go on with the others.
                done += 1;
                failed += 1;
            }
        }
        self.count = 0;
        failed
    }
}

fn write_local(control: &mut Control, local: Local) -> usize {
    match local.ip {
        IpAddr::V4(ip) => {
            // SAFETY: plain integers.
            let mut info: libc::in_pktinfo = unsafe { zeroed() };
            info.ipi_spec_dst.s_addr = u32::from_ne_bytes(ip.octets());
            write_control(control, libc::IPPROTO_IP, libc::IP_PKTINFO, info)
        }
        IpAddr::V6(ip) => {
            // SAFETY: plain integers.
            let mut info: libc::in6_pktinfo = unsafe { zeroed() };
            info.ipi6_addr.s6_addr = ip.octets();
            info.ipi6_ifindex = local.interface as _;
            write_control(control, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info)
        }
    }
}

fn write_control<T: Copy>(control: &mut Control, level: i32, kind: i32, value: T) -> usize {
    const HEAD: usize = size_of::<libc::cmsghdr>();
    // SAFETY: plain integers.
    let mut head: libc::cmsghdr = unsafe { zeroed() };
    head.cmsg_len = (HEAD + size_of::<T>()) as _;
    head.cmsg_level = level;
    head.cmsg_type = kind;
    let space = (HEAD + size_of::<T>()).next_multiple_of(8);
    assert!(space <= CONTROL);
    // SAFETY: both writes end within CONTROL bytes, as asserted.
    unsafe {
        std::ptr::write_unaligned(control.0.as_mut_ptr().cast(), head);
        std::ptr::write_unaligned(control.0.as_mut_ptr().add(HEAD).cast(), value);
    }
    space
}

fn socket_addr(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match i32::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says what it is, and the storage is large enough for it.
            let v4 = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes());
            Some(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let v6 = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            Some(SocketAddrV6::new(ip, u16::from_be(v6.sin6_port), v6.sin6_flowinfo, v6.sin6_scope_id).into())
        }
        _ => None,
    }
}

fn write_addr(storage: &mut libc::sockaddr_storage, address: SocketAddr) -> u32 {
    match address {
        SocketAddr::V4(v4) => {
            // SAFETY: the storage is large and aligned enough for every family.
            let out = unsafe { &mut *(&raw mut *storage).cast::<libc::sockaddr_in>() };
            out.sin_family = libc::AF_INET as _;
            out.sin_port = v4.port().to_be();
            out.sin_addr.s_addr = u32::from_ne_bytes(v4.ip().octets());
            size_of::<libc::sockaddr_in>() as u32
        }
        SocketAddr::V6(v6) => {
            // SAFETY: as above.
            let out = unsafe { &mut *(&raw mut *storage).cast::<libc::sockaddr_in6>() };
            out.sin6_family = libc::AF_INET6 as _;
            out.sin6_port = v6.port().to_be();
            out.sin6_flowinfo = v6.flowinfo();
            out.sin6_addr.s6_addr = v6.ip().octets();
            out.sin6_scope_id = v6.scope_id();
            size_of::<libc::sockaddr_in6>() as u32
        }
    }
}

//! RADIUS, and nothing of billing: packets, dictionaries as data, proofs of identity, a server and a client.
//!
//! | chapter           | subject                                                      | documents                         |
//! |-------------------|--------------------------------------------------------------|-----------------------------------|
//! | [`packet`]        | reading a packet                                             | RFC 2865 §3, §5                   |
//! | [`writer`]        | writing one                                                  | RFC 2865 §5, 2868 §3, 2548 §2.4   |
//! | [`authenticator`] | secrets and signatures                                       | RFC 2865 §3, 2866 §3, 3579 §3.2   |
//! | [`policy`]        | when an unsigned request is believed                         | CVE-2024-3596                     |
//! | [`auth`]          | PAP, CHAP, MS-CHAP, MPPE keys                                | RFC 2865, 1994, 2759, 2548, 3079  |
//! | [`dictionary`]    | attributes by name, values as text                           | the vendors' lists                |
//! | [`cache`]         | repeated requests                                            | RFC 5080 §2.2.2                   |
//! | [`server`]        | both ports on plain threads                                  | RFC 2865, 2866, 5997              |
//! | [`client`]        | asking: CoA, Disconnect, Status-Server, a NAS's requests     | RFC 5176, 5997                    |
//! | [`das`]           | being asked: the router's side of CoA and Disconnect         | RFC 5176                          |

pub mod attribute;
pub mod auth;
pub mod authenticator;
pub mod cache;
pub mod client;
pub mod das;
pub mod dictionary;
#[doc(hidden)]
pub mod fuzzing;
pub mod packet;
pub mod policy;
pub mod server;
pub mod writer;

pub use authenticator::Secret;
pub use packet::{Attribute, Code, Packet};
pub use writer::{Overflow, Writer};

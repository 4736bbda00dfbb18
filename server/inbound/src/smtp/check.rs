//! Looks whether letters can be delivered: whether the door is open, or could be opened here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::SmtpOptions;
use crate::checked::Checked;

/// How long a greeting is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest greeting that is read.
const LONGEST: u64 = 1024;
const SUBJECT: &str = "address";

/// Looks at the address, without delivering anything.
pub async fn check(options: &SmtpOptions) -> Vec<Checked> {
    let listen = options.listen;
    vec![match tokio::time::timeout(PATIENCE, greeting(reachable(listen))).await {
        Ok(Ok(said)) if said.starts_with(&format!("220 {} ESMTP Postroom", options.hostname)) => {
            Checked::good(SUBJECT, format!("{listen} answers"))
        }
        Ok(Ok(_)) | Err(_) => taken(listen),
        Ok(Err(_)) if listen.port() != 0 => free(listen).await,
        Ok(Err(_)) => Checked::good(SUBJECT, "a free port is taken at the start"),
    }]
}

fn taken(listen: SocketAddr) -> Checked {
    let advice = "another program answers there: stop it, or name another address with smtp.listen";
    Checked::bad(SUBJECT, format!("{listen} is not answered by Postroom"), advice)
}

/// An address that means all of this machine's, as this machine reaches it.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

async fn greeting(address: SocketAddr) -> std::io::Result<String> {
    let stream = TcpStream::connect(address).await?;
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST)).read_line(&mut line).await?;
    Ok(line)
}

/// Nobody answers: whether it could be listened there.
async fn free(listen: SocketAddr) -> Checked {
    match TcpListener::bind(listen).await {
        Ok(_) => Checked::good(SUBJECT, format!("{listen} is free, and can be listened at")),
        Err(error) => {
            let advice = match error.kind() {
                std::io::ErrorKind::PermissionDenied => {
                    "ports below 1024 want a right of their own: grant CAP_NET_BIND_SERVICE, or let the firewall lead port 25 to a greater one"
                }
                std::io::ErrorKind::AddrNotAvailable => {
                    "this machine has no such address: correct smtp.listen"
                }
                _ => "name another address with smtp.listen",
            };
            Checked::bad(SUBJECT, format!("{listen} cannot be listened at: {error}"), advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    fn options(listen: SocketAddr) -> SmtpOptions {
        SmtpOptions {
            listen,
            hostname: "post.example".to_owned(),
            mailboxes: Vec::new(),
            networks: Vec::new(),
            largest: 1,
            certificate: None,
            require_tls: false,
            connections: 1,
            idle: PATIENCE,
        }
    }

    #[tokio::test]
    async fn the_door_is_open_or_could_be_opened_or_somebody_elses() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            for greeting in ["220 post.example ESMTP Postroom\r\n", "220 other.example ESMTP\r\n"] {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(greeting.as_bytes()).await.unwrap();
            }
        });
        let everywhere = SocketAddr::from(([0, 0, 0, 0], at.port()));
        assert_eq!(
            check(&options(everywhere)).await,
            [Checked::good(SUBJECT, format!("{everywhere} answers"))]
        );
        assert!(!check(&options(at)).await[0].works);
        server.await.unwrap();
        let free = format!("{at} is free, and can be listened at");
        assert_eq!(check(&options(at)).await, [Checked::good(SUBJECT, free)]);
    }
}

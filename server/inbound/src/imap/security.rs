//! How a connection is protected, and whose certificates count.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_rustls::TlsConnector;

use super::wire::Duplex;

/// Whose word on a server's name counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The authorities that the system knows.
    System,
    /// Those of a PEM file, and no others.
    File(PathBuf),
}

/// How a connection is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte, mostly on port 993.
    Tls(Trust),
    /// TLS after a word in plain, mostly on port 143; without TLS nothing else is said.
    StartTls(Trust),
    /// None: password and letters can be read by whoever stands in between.
    Plain,
}

/// Why there is no protection as it is wanted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A file cannot be read, or holds something else.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The host's name cannot stand in a certificate.
    #[error("{0:?} is no name of a host")]
    Host(String),
    /// The system's authorities cannot be asked, or the like.
    #[error("TLS cannot be used: {0}")]
    Unfit(#[from] rustls::Error),
}

/// What a TLS connection needs.
pub(super) struct Tls {
    connector: TlsConnector,
    host: ServerName<'static>,
}

impl Tls {
    pub(super) fn new(trust: &Trust, host: &str) -> Result<Self, TrustError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = match trust {
            Trust::System => builder.with_platform_verifier()?.with_no_client_auth(),
            Trust::File(path) => {
                let wrong = |why: String| TrustError::File { path: path.display().to_string(), why };
                let mut roots = RootCertStore::empty();
                let certificates =
                    CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
                for certificate in certificates {
                    let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
                    roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
                }
                if roots.is_empty() {
                    return Err(wrong("holds no certificate in PEM form".to_owned()));
                }
                builder.with_root_certificates(roots).with_no_client_auth()
            }
        };
        let host = ServerName::try_from(host.to_owned()).map_err(|_| TrustError::Host(host.to_owned()))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), host })
    }

    pub(super) async fn over(&self, stream: Box<dyn Duplex>) -> std::io::Result<impl Duplex + 'static> {
        self.connector.connect(self.host.clone(), stream).await
    }
}

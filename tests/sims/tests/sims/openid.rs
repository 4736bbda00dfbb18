//! The fake OpenID provider and Entra ID.

mod control;
mod flaws;
mod flows;
mod pages;
mod refresh;
mod support;
mod verifier;

//! The fake iManage Work server.

mod faults;
mod files;
mod people;
mod searches;
mod sign_in;
mod support;

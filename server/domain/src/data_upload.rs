//! Tables of data.

//! The map: [`kernel`] is the algorithm in plain Rust, `python` its Python bindings.
//!
//! The bindings are behind the default feature `python`; without it the kernel
//! is tested alone (`cargo test --no-default-features`).

pub mod kernel;
#[cfg(feature = "python")]
mod python;

// Ties the compiled library to this folder (see .cargo/config.toml): cargo itself
// compares file dates only, and would take another checkout's library for this one's.
const _: Option<&str> = option_env!("SOURCE_FOLDER");

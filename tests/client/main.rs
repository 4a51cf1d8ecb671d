//! The client against the compiled program, by way of its in-process transport.

mod actions;
mod sending;
mod views;

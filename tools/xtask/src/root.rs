//! Whether packages can be installed.

use std::process::{Command, Stdio};

/// How to run a command as root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// We are root.
    Already,
    /// `sudo` asks for no password.
    Sudo,
    No,
}

impl Root {
    pub fn find() -> Root {
        let uid = Command::new("id").arg("-u").output().ok().filter(|output| output.status.success());
        let is_root = uid.is_some_and(|output| output.stdout.trim_ascii() == b"0");
        Root::decide(is_root, || {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            sudo.status().is_ok_and(|status| status.success())
        })
    }

    fn decide(is_root: bool, has_sudo: impl FnOnce() -> bool) -> Root {
        if is_root {
            Root::Already
        } else if has_sudo() {
            Root::Sudo
        } else {
            Root::No
        }
    }

    /// `apt-get` that asks no questions. `None` when that is impossible.
    pub fn apt_get(self) -> Option<Command> {
        let mut words = vec!["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
        match self {
            Root::Already => {}
            Root::Sudo => drop(words.splice(0..0, ["sudo", "-n"])),
            Root::No => return None,
        }
        let mut command = Command::new(words.remove(0));
        command.args(words).stdin(Stdio::null());
        Some(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_needs_no_sudo() {
        assert_eq!(Root::decide(true, || panic!("not to be asked")), Root::Already);
        assert_eq!(Root::decide(false, || true), Root::Sudo);
        assert_eq!(Root::decide(false, || false), Root::No);
    }

    #[test]
    fn without_root_there_is_no_command() {
        assert!(Root::No.apt_get().is_none());
        for (root, program) in [(Root::Already, "env"), (Root::Sudo, "sudo")] {
            let command = root.apt_get().unwrap();
            assert_eq!(command.get_program(), program);
            assert_eq!(command.get_args().last().unwrap(), "apt-get");
        }
    }
}

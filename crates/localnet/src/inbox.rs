//! What the web app asks of the chain, which one thread alone may move.

use crate::chain::Chain;
use crate::market::World;
use crate::script::Player;
use crate::serve;
use anchor_lang::prelude::Pubkey;
use hyper::body::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

/// Requests that wait; more are turned away.
const QUEUE: usize = 16;

/// What can be asked for.
#[derive(Debug)]
pub enum Request {
    /// Test tokens for an address.
    Give(Pubkey),
    /// A price scenario, by its name.
    Play(String),
    /// The end of the one that is playing.
    Stop,
}

/// Why not. The text is for whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such thing.
    #[error("{0}")]
    Unknown(String),
    /// Not now.
    #[error("{0}")]
    Busy(String),
    /// It was tried.
    #[error("{0}")]
    Failed(String),
    /// Nobody is there to do it.
    #[error("the chain is busy or has stopped; try again")]
    Unanswered,
}

struct Asked {
    request: Request,
    answer: oneshot::Sender<Result<(), Refusal>>,
}

/// The server's end.
pub struct Desk {
    asked: mpsc::Sender<Asked>,
    status: watch::Receiver<Bytes>,
}

/// The chain's end.
pub struct Inbox {
    asked: mpsc::Receiver<Asked>,
    status: watch::Sender<Bytes>,
}

/// Both ends.
pub fn open() -> (Desk, Inbox) {
    let (sender, asked) = mpsc::channel(QUEUE);
    let (status, shown) = watch::channel(Bytes::from_static(br#"{"offered":[],"playing":null}"#));
    (Desk { asked: sender, status: shown }, Inbox { asked, status })
}

impl Desk {
    /// Asks, and waits for the answer.
    pub async fn ask(&self, request: Request) -> Result<(), Refusal> {
        let (answer, outcome) = oneshot::channel();
        self.asked.try_send(Asked { request, answer }).map_err(|_| Refusal::Unanswered)?;
        outcome.await.unwrap_or(Err(Refusal::Unanswered))
    }

    /// The price scenarios, as JSON: see [`Player::status`].
    pub fn status(&self) -> Bytes {
        self.status.borrow().clone()
    }
}

impl Inbox {
    /// Does what was asked for since the last time. There is no player while the command line's scenario is played.
    pub fn step(&mut self, chain: &Chain, world: &World, mut player: Option<&mut Player>) {
        while let Ok(Asked { request, answer }) = self.asked.try_recv() {
            let done = match (request, player.as_deref_mut()) {
                (Request::Give(to), _) => {
                    serve::endow(chain, world, &to).map_err(|error| Refusal::Failed(format!("{error:#}")))
                }
                (Request::Play(name), Some(player)) => player.start(&name),
                (Request::Stop, Some(player)) => {
                    player.stop();
                    Ok(())
                }
                (Request::Play(_) | Request::Stop, None) => {
                    Err(Refusal::Busy("the scenario of the command line is playing; wait until it is over".into()))
                }
            };
            self.show(player.as_deref());
            // Whoever hung up has it all the same.
            let _ = answer.send(done);
        }
        self.show(player.as_deref());
    }

    fn show(&self, player: Option<&Player>) {
        if let Some(player) = player {
            self.status.send_replace(player.status().to_string().into());
        }
    }
}

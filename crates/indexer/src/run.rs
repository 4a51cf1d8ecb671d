//! Follows and samples until it is stopped.

use crate::IndexError;
use crate::follow::Follower;
use crate::sample::Sampler;
use crate::source::Source;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often to look.
#[derive(Clone, Copy, Debug)]
pub struct Periods {
    /// At least so often is the chain looked at.
    pub poll: Duration,
    /// At most so often, however often the bell rings.
    pub rest: Duration,
    /// How often the reserves are sampled.
    pub sample: Duration,
}

impl Default for Periods {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { poll: seconds(5), rest: seconds(1), sample: seconds(60) }
    }
}

/// Looks at the chain whenever the bell rings and at fixed times, and samples the reserves, until `stop`. What goes wrong
/// is written into the store, told to `report` when it is new, and tried again.
///
/// # Errors
/// When the store cannot be written.
pub fn run<S: Source>(
    mut follower: Follower<S>,
    mut sampler: Sampler,
    periods: Periods,
    bell: &Receiver<()>,
    stop: &AtomicBool,
    mut report: impl FnMut(&str),
) -> Result<(), IndexError> {
    let (mut told, mut sampled) = (None, None::<Instant>);
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        let mut outcome = follower.round();
        if sampled.is_none_or(|at| at.elapsed() >= periods.sample) {
            sampled = Some(began);
            let samples = sampler.sample(periods.sample);
            let written = samples.and_then(|samples| follower.store().sample(&samples));
            outcome = outcome.and(written);
        }
        match outcome {
            Ok(()) => told = None,
            Err(error @ IndexError::Store(_)) => return Err(error),
            Err(error) => {
                let text = error.to_string();
                follower.store().problem(&text)?;
                if told.as_ref() != Some(&text) {
                    report(&text);
                    told = Some(text);
                }
            }
        }
        sleep(periods.rest.saturating_sub(began.elapsed()));
        let until = periods.poll.min(periods.sample).saturating_sub(began.elapsed());
        if bell.recv_timeout(until) == Err(RecvTimeoutError::Disconnected) {
            sleep(until);
        }
    }
    Ok(())
}

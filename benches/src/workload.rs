//! The workloads: what is learned, how many neurons there are, how often they spike.

/// What a workload learns. All in f32, steps of 1 ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Dense pair-based plasticity.
    Pairs,
    /// The same on sparse synapses: each pair of neurons is connected with this probability.
    SparsePairs(f32),
    /// Reward-modulated, with an eligibility trace for each synapse.
    Rewarded,
    /// Hebbian with Adam: so many patterns at once.
    Hebbian(usize),
    /// Noisy and fuzzy gradient descent.
    Noisy,
    /// Five rules in one pass.
    Fused,
    /// Seven rules in one pass: the five and two more.
    FusedMore,
    /// So many groups in one engine, each as in [`Kind::Pairs`].
    Groups(usize),
}

/// A workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// As it is called: `W1-4000-p01`.
    pub name: String,
    /// What it learns.
    pub kind: Kind,
    /// Presynaptic and postsynaptic neurons, each.
    pub side: usize,
    /// The probability that a neuron spikes in a step.
    pub rate: f32,
}

/// Steps of a spike train; longer runs repeat it.
pub const TRAIN: usize = 1000;
/// No side is larger: 4 GiB of weights.
const LARGEST: usize = 32768;
/// Groups of an engine.
const MOST_GROUPS: usize = 10_000;
/// What workloads may be called, for messages.
pub const FORMS: &str = "W1-N-pRR, W2-10k-1pc, W2-10k-10pc, W3-N, W4-N-bB, W5-N, W6-N, W6-N-more or GK-N-pRR, as in W1-4000-p01, W4-4096-b32 or G1000-32-p01";
/// The workloads that results are given for.
pub const NAMES: [&str; 22] = [
    "W1-1000-p01",
    "W1-1000-p05",
    "W1-4000-p01",
    "W1-4000-p05",
    "W2-10k-1pc",
    "W2-10k-10pc",
    "W3-1000",
    "W3-4000",
    "W4-1024-b1",
    "W4-1024-b32",
    "W4-1024-b256",
    "W4-4096-b1",
    "W4-4096-b32",
    "W4-4096-b256",
    "W5-4096",
    "W6-1000",
    "W6-4096",
    "W6-1000-more",
    "W6-4096-more",
    "G1-32-p00",
    "G1000-32-p00",
    "G1000-32-p01",
];

impl Workload {
    /// The workload of this name.
    pub fn find(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.split('-').collect();
        let side = |text: &str| {
            let side = match text.strip_suffix('k') {
                Some(thousands) => thousands.parse::<usize>().ok()?.checked_mul(1000)?,
                None => text.parse().ok()?,
            };
            (1..=LARGEST).contains(&side).then_some(side)
        };
        let percent = |text: &str| text.parse::<u32>().ok().filter(|&percent| percent <= 100);
        let share = |percent: u32| (f64::from(percent) / 100.0) as f32;
        let (kind, side, rate) = match parts[..] {
            ["W1", size, rate] => (Kind::Pairs, side(size)?, share(percent(rate.strip_prefix('p')?)?)),
            ["W2", size, density] => {
                (Kind::SparsePairs(share(percent(density.strip_suffix("pc")?)?)), side(size)?, 0.01)
            }
            ["W3", size] => (Kind::Rewarded, side(size)?, 0.01),
            ["W4", size, batch] => {
                let batch =
                    batch.strip_prefix('b')?.parse().ok().filter(|batch| (1..=LARGEST).contains(batch))?;
                (Kind::Hebbian(batch), side(size)?, 0.0)
            }
            ["W5", size] => (Kind::Noisy, side(size)?, 0.0),
            ["W6", size] => (Kind::Fused, side(size)?, 0.01),
            ["W6", size, "more"] => (Kind::FusedMore, side(size)?, 0.01),
            [groups, size, rate] if groups.starts_with('G') => {
                let groups = groups[1..].parse().ok().filter(|groups| (1..=MOST_GROUPS).contains(groups))?;
                let side = side(size).filter(|side| groups * side * side <= LARGEST * LARGEST)?;
                (Kind::Groups(groups), side, share(percent(rate.strip_prefix('p')?)?))
            }
            _ => return None,
        };
        Some(Self { name: name.to_owned(), kind, side, rate })
    }

    /// The text of its rule, and the rule's name in it.
    pub fn rule(&self) -> (&'static str, &'static str) {
        match self.kind {
            Kind::Pairs | Kind::SparsePairs(_) | Kind::Groups(_) => (include_str!("../rules/w1.rule"), "w1"),
            Kind::Rewarded => (include_str!("../rules/w3.rule"), "w3"),
            Kind::Hebbian(_) => (include_str!("../rules/w4.rule"), "w4"),
            Kind::Noisy => (include_str!("../rules/w5.rule"), "w5"),
            Kind::Fused => (include_str!("../rules/w6.rule"), "w6"),
            Kind::FusedMore => (include_str!("../rules/w6.rule"), "w6_more"),
        }
    }

    /// The least that a full pass reads and writes, in bytes for each synapse; none where synapses are sparse.
    pub fn bytes(&self) -> Option<u32> {
        match self.kind {
            Kind::Pairs | Kind::Fused | Kind::FusedMore | Kind::Groups(_) => Some(8),
            Kind::Rewarded => Some(16),
            Kind::Hebbian(_) => Some(24),
            Kind::Noisy => Some(20),
            Kind::SparsePairs(_) => None,
        }
    }

    /// How many groups there are.
    pub fn groups(&self) -> usize {
        if let Kind::Groups(groups) = self.kind { groups } else { 1 }
    }

    /// After how many steps the checksum is taken.
    pub fn checked(&self) -> u64 {
        let density = if let Kind::SparsePairs(density) = self.kind { f64::from(density) } else { 1.0 };
        if (self.groups() * self.side * self.side) as f64 * density < 2e6 { 100 } else { 10 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        for name in NAMES {
            assert_eq!(Workload::find(name).map(|found| found.name).as_deref(), Some(name));
        }
        let sparse = Workload::find("W2-10k-10pc").unwrap();
        assert_eq!((sparse.kind, sparse.side, sparse.checked()), (Kind::SparsePairs(0.1), 10_000, 10));
        assert_eq!(Workload::find("W2-10k-1pc").unwrap().checked(), 100);
        let wrong = [
            "",
            "W1",
            "W1-1000",
            "W1-0-p01",
            "W1-1000-p101",
            "W3-99999",
            "W4-8-b0",
            "W7-8",
            "W1-99999999999999999999k-p1",
        ];
        for name in wrong {
            assert_eq!(Workload::find(name), None, "{name}");
        }
    }
}

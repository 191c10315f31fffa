//! A reward that comes seconds late finds its synapse.

use aplysia_example_inline::distal::learn;

#[test]
fn the_rewarded_synapse_grows_although_its_reward_comes_seconds_later() {
    for seed in 1..=2 {
        // 15 minutes; the publication's figure 1 has an hour, in a network ten times as large.
        let moments = learn(900, (1.0, 3.0), seed);
        let last: f64 = moments[11..].iter().map(|moment| moment.rewarded).sum::<f64>() / 4.0;
        let others = moments[14].others;
        assert!(last > 2.0, "from 0 to {last} mV: {moments:?}");
        assert!((0.5..1.0).contains(&others), "the others begin at 1 mV: {moments:?}");
        assert!(last > 2.5 * others, "{moments:?}");
        assert!(moments[14].rate > 0.5 && moments[14].rate < 5.0, "{moments:?}");
    }
}

#[test]
fn nothing_is_left_of_the_eligibility_after_half_a_minute() {
    for seed in 1..=2 {
        let moments = learn(900, (30.0, 32.0), seed);
        assert!(moments[14].rewards > 10, "{moments:?}");
        assert!(moments.iter().all(|moment| moment.rewarded < 2.0), "{moments:?}");
    }
}

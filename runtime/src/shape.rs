//! The shapes of the host's arrays: the batch where it is larger than one, then the axes of the domain, then the
//! elements of an array.

use aplysia_compiler::ir::{Domain, Rule, Shape, VarId};
use aplysia_compiler::kernel::Side;
use aplysia_compiler::topology::Topology;

/// The shape of a variable.
pub(crate) fn of_variable(rule: &Rule, id: VarId, topology: &Topology, batch: usize) -> Vec<usize> {
    let variable = &rule.variables[id];
    let mut axes = of(variable.shape, topology, batch);
    axes.extend(variable.length.map(|length| length as usize));
    axes
}

/// The shape of one value for each element.
pub(crate) fn of(shape: Shape, topology: &Topology, batch: usize) -> Vec<usize> {
    let mut axes = if shape.batched { of_batch(batch) } else { Vec::new() };
    axes.extend(of_domain(shape.domain, topology));
    axes
}

/// The leading axis of what is there for each element of the batch: none where there is one element only.
pub(crate) fn of_batch(batch: usize) -> Vec<usize> {
    if batch == 1 { Vec::new() } else { vec![batch] }
}

fn of_domain(domain: Domain, topology: &Topology) -> Vec<usize> {
    let spatial = topology.kind().is_spatial();
    match domain {
        Domain::Global => Vec::new(),
        Domain::PreChannel if spatial => vec![topology.channels(Side::Pre)],
        Domain::PostChannel if spatial => vec![topology.channels(Side::Post)],
        Domain::Pre | Domain::PreChannel => topology.neuron_shape(Side::Pre),
        Domain::Post | Domain::PostChannel => topology.neuron_shape(Side::Post),
        Domain::Synapse => topology.synapse_shape(),
    }
}

#[cfg(test)]
mod tests {
    use aplysia_compiler::topology::Convolution;

    use super::*;

    fn all(topology: &Topology) -> [Vec<usize>; 5] {
        use Domain::{Post, PostChannel, Pre, PreChannel, Synapse};
        [PreChannel, Pre, PostChannel, Post, Synapse].map(|domain| of(Shape::of(domain), topology, 1))
    }

    #[test]
    fn neurons_of_an_image_have_three_axes() {
        let shape = Convolution::new(2, [5, 6], 3, [2, 4]).unwrap();
        let neurons = [vec![2], vec![2, 5, 6], vec![3], vec![3, 4, 3]];
        let conv2d = all(&Topology::Conv2d(shape));
        assert_eq!(conv2d[..4], neurons);
        assert_eq!(conv2d[4], [3, 2, 2, 4]);
        let local2d = all(&Topology::Local2d(shape));
        assert_eq!(local2d[..4], neurons);
        assert_eq!(local2d[4], [3, 12, 16]);
    }

    #[test]
    fn channels_are_neurons_where_there_are_no_images() {
        let dense = all(&Topology::Dense { pre: 2, post: 3 });
        assert_eq!(dense, [vec![2], vec![2], vec![3], vec![3], vec![2, 3]]);
    }

    #[test]
    fn a_batch_comes_first() {
        let topology = Topology::Dense { pre: 2, post: 3 };
        let batched = Shape { batched: true, ..Shape::of(Domain::Post) };
        assert_eq!(of(batched, &topology, 4), [4, 3]);
        assert_eq!(of(batched, &topology, 1), [3]);
        assert_eq!(of(Shape::of(Domain::Post), &topology, 4), [3]);
    }
}

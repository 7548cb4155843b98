//! Backward passes, written once for every back end in terms of its [`Kernels`].

use burn::backend::{
    AutodiffBackend, TensorMetadata,
    autodiff::{
        checkpoint::base::Checkpointer,
        grads::Gradients,
        ops::{Backward, NodeGuard, Ops, OpsKind},
    },
};

use super::*;

/// Computes an operation and puts it on the tape if any of its inputs is there. `state` is what the backward pass
/// wants of the inputs and of the result.
fn record<B: Backend, C: CheckpointStrategy, T, const N: usize>(
    step: T,
    nodes: [NodeGuard; N],
    forward: impl FnOnce() -> FloatTensor<B>,
    state: impl FnOnce(&FloatTensor<B>) -> T::State,
) -> FloatTensor<Autodiff<B, C>>
where
    T: Backward<B, N>,
{
    match step.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let y = forward();
            let state = state(&y);
            prepared.finish(state, y)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(forward()),
    }
}

/// The result itself, where the backward pass needs it: behind an activation.
fn kept<B: Backend>(y: &FloatTensor<B>, activation: Activation) -> Option<FloatTensor<B>> {
    (activation != Activation::Identity).then(|| y.clone())
}

/// The gradient in front of an activation.
fn before<B: Kernels>(
    y: Option<FloatTensor<B>>,
    dy: FloatTensor<B>,
    activation: Activation,
) -> FloatTensor<B> {
    match y {
        Some(y) => B::activate_gradient(y, dy, activation),
        None => dy,
    }
}

/// Both directions of a convolution; parents: input, weight and, with three, bias.
#[derive(Debug)]
struct Convolution;

/// What a convolution leaves for its backward pass.
#[derive(Clone, Debug)]
struct Convolved<B: Backend> {
    up: bool,
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    output: Option<FloatTensor<B>>,
    frame: Frame,
    activation: Activation,
}

impl<B: Kernels, const N: usize> Backward<B, N> for Convolution {
    type State = Convolved<B>;

    fn backward(self, ops: Ops<Self::State, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = gradients.consume::<B>(&ops.node);
        let Convolved { up, input, weight, output, frame, activation } = ops.state;
        let dz = before::<B>(output, dy, activation);
        let parent = |index: usize| ops.parents.get(index).and_then(Option::as_ref);
        if let Some(node) = parent(2) {
            gradients.register::<B>(node.id, B::bias_gradient(dz.clone()));
        }
        if let Some(node) = parent(1) {
            let (big, small) = if up { (dz.clone(), input.clone()) } else { (input.clone(), dz.clone()) };
            gradients.register::<B>(node.id, B::conv_weight_gradient(big, small, weight.clone(), frame));
        }
        if let Some(node) = parent(0) {
            let [_, _, height, width] = input.shape().dims();
            let dx = if up {
                B::down(dz, weight, Bias::Without, frame, Activation::Identity)
            } else {
                B::up(dz, weight, Bias::Without, frame, [height, width], Activation::Identity)
            };
            gradients.register::<B>(node.id, dx);
        }
    }
}

/// Parents: input, weight and, with three, bias. State: input, weight, output.
#[derive(Debug)]
struct LinearMap;

impl<B: Kernels, const N: usize> Backward<B, N> for LinearMap {
    type State = (FloatTensor<B>, FloatTensor<B>, Option<FloatTensor<B>>, Activation);

    fn backward(self, ops: Ops<Self::State, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = gradients.consume::<B>(&ops.node);
        let (x, weight, y, activation) = ops.state;
        let dz = before::<B>(y, dy, activation);
        let parent = |index: usize| ops.parents.get(index).and_then(Option::as_ref);
        if let Some(node) = parent(2) {
            gradients.register::<B>(node.id, B::bias_gradient(dz.clone()));
        }
        if let Some(node) = parent(1) {
            gradients.register::<B>(node.id, B::linear_weight_gradient(x, dz.clone()));
        }
        if let Some(node) = parent(0) {
            gradients.register::<B>(node.id, B::linear_input_gradient(dz, weight));
        }
    }
}

/// Batch norm; parents: input, γ, β.
#[derive(Debug)]
struct Norm;

/// What batch norm leaves for its backward pass: nothing of the size of the batch but its input.
#[derive(Clone, Debug)]
struct Normalised<B: Backend> {
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    mean: FloatTensor<B>,
    variance: FloatTensor<B>,
    own: bool,
    frame: NormFrame,
}

impl<B: Kernels> Backward<B, 3> for Norm {
    type State = Normalised<B>;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = gradients.consume::<B>(&ops.node);
        let Normalised { x, gamma, beta, mean, variance, own, frame } = ops.state;
        let (dx, dgamma, dbeta) = B::norm_gradients(x, dy, gamma, beta, mean, variance, own, frame);
        for (node, gradient) in ops.parents.iter().zip([dx, dgamma, dbeta]) {
            if let Some(node) = node {
                gradients.register::<B>(node.id, gradient);
            }
        }
    }
}

/// State: output.
#[derive(Debug)]
struct Pointwise;

impl<B: Kernels> Backward<B, 1> for Pointwise {
    type State = (FloatTensor<B>, Activation);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = gradients.consume::<B>(&ops.node);
        let (y, activation) = ops.state;
        if let [Some(node)] = ops.parents {
            gradients.register::<B>(node.id, B::activate_gradient(y, dy, activation));
        }
    }
}

/// State: shape of the maps.
#[derive(Debug)]
struct Flatten;

impl<B: Kernels> Backward<B, 1> for Flatten {
    type State = [usize; 3];

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = gradients.consume::<B>(&ops.node);
        let [channels, height, width] = ops.state;
        if let [Some(node)] = ops.parents {
            gradients.register::<B>(node.id, B::unflatten(dy, channels, height, width));
        }
    }
}

#[derive(Debug)]
struct Unflatten;

impl<B: Kernels> Backward<B, 1> for Unflatten {
    type State = ();

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = gradients.consume::<B>(&ops.node);
        if let [Some(node)] = ops.parents {
            gradients.register::<B>(node.id, B::flatten(dy));
        }
    }
}

#[derive(Debug)]
struct Add;

impl<B: Kernels> Backward<B, 2> for Add {
    type State = ();

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let dy = gradients.consume::<B>(&ops.node);
        for node in ops.parents.into_iter().flatten() {
            gradients.register::<B>(node.id, dy.clone());
        }
    }
}

/// Both directions of a convolution on the tape.
fn convolve<B: Kernels, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
    weight: FloatTensor<Autodiff<B, C>>,
    bias: Bias<Autodiff<B, C>>,
    frame: Frame,
    up: Option<[usize; 2]>,
    activation: Activation,
) -> FloatTensor<Autodiff<B, C>> {
    let (node, weight_node) = (input.node(), weight.node());
    let (input, weight) = (input.into_primitive(), weight.into_primitive());
    let run = |bias: Bias<B>| match up {
        Some(size) => B::up(input.clone(), weight.clone(), bias, frame, size, activation),
        None => B::down(input.clone(), weight.clone(), bias, frame, activation),
    };
    let state = |y: &FloatTensor<B>| Convolved {
        up: up.is_some(),
        input: input.clone(),
        weight: weight.clone(),
        output: kept::<B>(y, activation),
        frame,
        activation,
    };
    match bias {
        Bias::With(bias) => {
            let nodes = [node, weight_node, bias.node()];
            record::<B, C, _, 3>(Convolution, nodes, || run(Bias::With(bias.into_primitive())), state)
        }
        Bias::Without => record::<B, C, _, 2>(Convolution, [node, weight_node], || run(Bias::Without), state),
    }
}

/// Batch norm on the tape, by its own statistics or by given ones.
fn normalise<B: Kernels, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    gamma: FloatTensor<Autodiff<B, C>>,
    beta: FloatTensor<Autodiff<B, C>>,
    given: Option<[FloatTensor<B>; 2]>,
    frame: NormFrame,
) -> [FloatTensor<Autodiff<B, C>>; 3] {
    let nodes = [x.node(), gamma.node(), beta.node()];
    let (x, gamma, beta) = (x.into_primitive(), gamma.into_primitive(), beta.into_primitive());
    let own = given.is_none();
    let (y, mean, variance) = match given {
        Some([mean, variance]) => {
            let args = (x.clone(), gamma.clone(), beta.clone(), mean.clone(), variance.clone());
            (B::norm_given(args.0, args.1, args.2, args.3, args.4, frame), mean, variance)
        }
        None => B::norm(x.clone(), gamma.clone(), beta.clone(), frame),
    };
    let (saved_mean, saved_variance) = (mean.clone(), variance.clone());
    let y = record::<B, C, _, 3>(
        Norm,
        nodes,
        || y,
        |_| Normalised { x, gamma, beta, mean: saved_mean, variance: saved_variance, own, frame },
    );
    // Statistics are constants to whoever reads them.
    [y, Autodiff::<B, C>::from_inner(mean), Autodiff::<B, C>::from_inner(variance)]
}

impl<B: Kernels, C: CheckpointStrategy> Kernels for Autodiff<B, C> {
    fn down(
        big: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: Bias<Self>,
        frame: Frame,
        activation: Activation,
    ) -> FloatTensor<Self> {
        convolve::<B, C>(big, weight, bias, frame, None, activation)
    }

    fn up(
        small: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: Bias<Self>,
        frame: Frame,
        size: [usize; 2],
        activation: Activation,
    ) -> FloatTensor<Self> {
        convolve::<B, C>(small, weight, bias, frame, Some(size), activation)
    }

    fn linear_map(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: Bias<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        let (node, weight_node) = (x.node(), weight.node());
        let (x, weight) = (x.into_primitive(), weight.into_primitive());
        let run = |bias: Bias<B>| B::linear_map(x.clone(), weight.clone(), bias, activation);
        let state = |y: &FloatTensor<B>| (x.clone(), weight.clone(), kept::<B>(y, activation), activation);
        match bias {
            Bias::With(bias) => {
                let nodes = [node, weight_node, bias.node()];
                record::<B, C, _, 3>(LinearMap, nodes, || run(Bias::With(bias.into_primitive())), state)
            }
            Bias::Without => {
                record::<B, C, _, 2>(LinearMap, [node, weight_node], || run(Bias::Without), state)
            }
        }
    }

    fn norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        frame: NormFrame,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let [y, mean, variance] = normalise::<B, C>(x, gamma, beta, None, frame);
        (y, mean, variance)
    }

    fn norm_given(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        frame: NormFrame,
    ) -> FloatTensor<Self> {
        let given = [mean.into_primitive(), variance.into_primitive()];
        let [y, _, _] = normalise::<B, C>(x, gamma, beta, Some(given), frame);
        y
    }

    fn activate(x: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self> {
        let node = x.node();
        let x = x.into_primitive();
        record::<B, C, _, 1>(Pointwise, [node], || B::activate(x, activation), |y| (y.clone(), activation))
    }

    fn flatten(maps: FloatTensor<Self>) -> FloatTensor<Self> {
        let node = maps.node();
        let maps = maps.into_primitive();
        let [_, channels, height, width] = maps.shape().dims();
        record::<B, C, _, 1>(Flatten, [node], || B::flatten(maps), |_| [channels, height, width])
    }

    fn unflatten(
        vectors: FloatTensor<Self>,
        channels: usize,
        height: usize,
        width: usize,
    ) -> FloatTensor<Self> {
        let node = vectors.node();
        let vectors = vectors.into_primitive();
        record::<B, C, _, 1>(Unflatten, [node], || B::unflatten(vectors, channels, height, width), |_| ())
    }

    fn add(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [left.node(), right.node()];
        let (left, right) = (left.into_primitive(), right.into_primitive());
        record::<B, C, _, 2>(Add, nodes, || B::add(left, right), |_| ())
    }
}

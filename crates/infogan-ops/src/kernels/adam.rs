//! Adam in place.

#![allow(unsafe_code)]

use super::{
    level::leveled,
    work::{Shared, ranges},
};

/// Constants of one update, ready for single precision.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// β₁ and 1 − β₁.
    pub first: [f32; 2],
    /// β₂ and 1 − β₂.
    pub second: [f32; 2],
    /// rate / (1 − β₁ᵗ).
    pub step: f32,
    /// √(1 − β₂ᵗ).
    pub root: f32,
    /// ε.
    pub epsilon: f32,
}

/// m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², p ← p − step · m / (√v/root + ε).
pub fn update(u: &Update, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
    assert_eq!((p.len(), m.len(), v.len()), (g.len(), g.len(), g.len()));
    let (p, m, v) = (Shared::of(p), Shared::of(m), Shared::of(v));
    ranges(g.len(), 1 << 14, |range| {
        // SAFETY: ranges are disjoint.
        let (p, m, v) =
            unsafe { (p.filled(range.clone()), m.filled(range.clone()), v.filled(range.clone())) };
        walk(u, p, &g[range], m, v);
    });
}

leveled! {
fn walk(u: &Update, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
    let u = *u;
    for (((p, m), v), &g) in p.iter_mut().zip(m).zip(v).zip(g) {
        *m = u.first[0] * *m + u.first[1] * g;
        *v = u.second[0] * *v + u.second[1] * g * g;
        *p -= u.step * *m / (v.sqrt() / u.root + u.epsilon);
    }
}
}

import math

import pytest
import torch
from torch import Tensor

from baselines.d2sta.grouping import (
    DynamicGrouping,
    GroupAssignment,
    JointAttention,
    TwoStageAttention,
    groups_to_joints,
    joints_to_groups,
    range_of_motion,
)
from zoo.errors import ConfigError

N, T, V, C, G, H = 2, 6, 5, 8, 3, 2


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def features(dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(N, T, V, C, dtype=dtype)


def some_mask() -> Tensor:
    mask = torch.ones(N, T, dtype=torch.bool)
    mask[0, 4:] = False
    return mask


def grouping(**options: object) -> DynamicGrouping:
    stages = {k: options.pop(k) for k in ("order", "residual", "norm") if k in options}
    attention = TwoStageAttention(C, H, width=4, **stages)
    return DynamicGrouping(C, attention, groups=G, hidden=7, **options).double().eval()


class TestRangeOfMotion:
    @pytest.mark.parametrize("masked", [False, True])
    def test_is_the_standard_deviation_over_real_frames(self, masked: bool) -> None:
        x, mask = features(), some_mask() if masked else None
        motion = range_of_motion(x, mask)
        assert motion.shape == (N, V, C)
        for n in range(N):
            frames = [t for t in range(T) if mask is None or mask[n, t]]
            for v in range(V):
                for c in range(C):
                    values = [float(x[n, t, v, c]) for t in frames]
                    mean = sum(values) / len(values)
                    std = math.sqrt(sum((a - mean) ** 2 for a in values) / len(values) + 1e-8)
                    assert float(motion[n, v, c]) == pytest.approx(std)

    @pytest.mark.parametrize("mask", [None, some_mask()])
    def test_gradient_is_finite_for_a_joint_that_stands_still(self, mask: Tensor | None) -> None:
        x = torch.ones(N, T, V, C, requires_grad=True)
        range_of_motion(x, mask).sum().backward()
        assert x.grad is not None
        assert x.grad.isfinite().all()

    def test_gradient_is_correct(self) -> None:
        x = features().requires_grad_()
        assert torch.autograd.gradcheck(lambda a: range_of_motion(a, some_mask()), x)

    def test_one_frame_moves_by_nothing(self) -> None:
        motion = range_of_motion(torch.randn(N, 1, V, C))
        torch.testing.assert_close(motion, torch.zeros(N, V, C), atol=1e-3, rtol=0)

    def test_ignores_what_padded_frames_hold(self) -> None:
        x, mask = features(), some_mask()
        other = torch.where(mask[:, :, None, None], x, 1e3)
        torch.testing.assert_close(range_of_motion(x, mask), range_of_motion(other, mask))

    def test_half_precision_is_computed_in_float32(self) -> None:
        x = (features(torch.float32) * 1e-2 + 5).bfloat16()
        motion = range_of_motion(x)
        assert motion.dtype == torch.float32
        torch.testing.assert_close(motion, range_of_motion(x.float()))


class TestAssignment:
    def test_equals_the_formula(self) -> None:
        module = GroupAssignment(C, G, 7).double()
        motion = torch.rand(N, V, C, dtype=torch.float64)
        with torch.no_grad():
            assignment = module(motion)
        assert assignment.shape == (N, V, G)
        w1, b1 = module.first.weight.detach(), module.first.bias.detach()
        w2, b2 = module.second.weight.detach(), module.second.bias.detach()
        for n in range(N):
            for v in range(V):
                hidden = [max(0.0, float(w1[i] @ motion[n, v] + b1[i])) for i in range(7)]
                logits = [
                    sum(float(w2[g, i]) * hidden[i] for i in range(7)) + float(b2[g])
                    for g in range(G)
                ]
                total = sum(math.exp(a) for a in logits)
                for g in range(G):
                    assert float(assignment[n, v, g]) == pytest.approx(math.exp(logits[g]) / total)

    def test_sums_to_one_over_groups(self) -> None:
        assignment = GroupAssignment(C, G, 7)(torch.rand(N, V, C) * 100)
        torch.testing.assert_close(assignment.sum(-1), torch.ones(N, V))

    @pytest.mark.parametrize("groups", [0, -1])
    def test_fewer_than_one_group_is_refused(self, groups: int) -> None:
        with pytest.raises(ConfigError, match="at least 1"):
            GroupAssignment(C, groups, 7)


class TestProjection:
    @pytest.mark.parametrize("projection", ["mean", "sum"])
    def test_joints_to_groups_equals_the_formula(self, projection: str) -> None:
        x, p = features(), torch.rand(N, V, G, dtype=torch.float64).softmax(-1)
        out = joints_to_groups(x, p, projection)
        for n in range(N):
            for t in range(T):
                for g in range(G):
                    total = sum(p[n, v, g] for v in range(V)) if projection == "mean" else 1.0
                    expected = sum(p[n, v, g] * x[n, t, v] for v in range(V)) / total
                    torch.testing.assert_close(out[n, t, g], expected)

    def test_groups_to_joints_equals_the_formula(self) -> None:
        x, p = features(), torch.rand(N, V, G, dtype=torch.float64).softmax(-1)
        f = torch.randn(N, T, G, C, dtype=torch.float64)
        out = groups_to_joints(f, p, x)
        for n in range(N):
            for t in range(T):
                for v in range(V):
                    expected = x[n, t, v] + sum(p[n, v, g] * f[n, t, g] for g in range(G))
                    torch.testing.assert_close(out[n, t, v], expected)

    def test_group_nobody_is_in_stays_finite(self) -> None:
        p = torch.zeros(N, V, G)
        p[..., 0] = 1
        assert joints_to_groups(features(torch.float32), p, "mean").isfinite().all()


class TestTwoStages:
    @pytest.mark.parametrize("residual", [False, True])
    @pytest.mark.parametrize("norm", [False, True])
    @pytest.mark.parametrize("order", ["time-first", "groups-first"])
    def test_equals_the_stages_one_by_one(self, order: str, norm: bool, residual: bool) -> None:
        module = TwoStageAttention(C, H, width=4, order=order, residual=residual, norm=norm)
        module = module.double().eval()
        x, mask = torch.randn(N, T, G, C, dtype=torch.float64), some_mask()
        y = x
        for stage in ("time", "groups") if order == "time-first" else ("groups", "time"):
            z = torch.empty_like(y)
            for n in range(N):
                if stage == "time":
                    for g in range(G):
                        tokens = module.within_norm(y[n, :, g])[None]
                        z[n, :, g] = module.within(tokens, mask[n][None])[0][0]
                else:
                    for t in range(T):
                        z[n, t] = module.between(module.between_norm(y[n, t])[None])[0][0]
            y = y + z if residual else z
        torch.testing.assert_close(module(x, mask)[0], y)

    def test_weights_have_their_axes_in_the_stated_order(self) -> None:
        module = TwoStageAttention(C, H, residual=False).double()
        x = torch.randn(N, T, G, C, dtype=torch.float64)
        attention = module(x, some_mask(), return_attention=True)[1]
        assert set(attention) == {"within_group", "between_groups"}
        within, between = attention["within_group"], attention["between_groups"]
        assert within.shape == (N, H, G, T, T)
        assert between.shape == (N, H, T, G, G)
        _, expected = module.within(x[0, :, 1][None], some_mask()[:1], return_weights=True)
        torch.testing.assert_close(within[0, :, 1], expected[0])
        middle = torch.stack([module.within(x[:, :, g], some_mask())[0] for g in range(G)], dim=2)
        _, expected = module.between(middle[1, 2][None], return_weights=True)
        torch.testing.assert_close(between[1, :, 2], expected[0])

    def test_unknown_order_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="time-first"):
            TwoStageAttention(C, H, order="both")


class TestDynamicGrouping:
    def test_equals_the_formula(self) -> None:
        module, x, mask = grouping(), features(), some_mask()
        p = module.assignment(range_of_motion(x, mask))
        f = module.attention(joints_to_groups(x, p, "mean"), mask)[0]
        torch.testing.assert_close(module(x, mask)[0], groups_to_joints(f, p, x))

    @pytest.mark.parametrize("masked", [False, True])
    def test_asking_for_attention_changes_no_feature(self, masked: bool) -> None:
        module, x, mask = grouping(), features(), some_mask() if masked else None
        quiet, asked = module(x, mask), module(x, mask, return_attention=True)
        assert quiet[1] == {}
        torch.testing.assert_close(quiet[0], asked[0])
        shapes = {k: tuple(v.shape) for k, v in asked[1].items()}
        assert shapes == {
            "assignment": (N, V, G),
            "within_group": (N, H, G, T, T),
            "between_groups": (N, H, T, G, G),
        }

    def test_real_frames_do_not_depend_on_padded_ones(self) -> None:
        module, x, mask = grouping(), features(), some_mask()
        alone = module(x[:1, :4])[0]
        other = torch.where(mask[:, :, None, None], x, 1e3)
        torch.testing.assert_close(module(x, mask)[0][:1, :4], alone)
        torch.testing.assert_close(module(other, mask)[0][:1, :4], alone)

    def test_joints_that_move_alike_stand_in_the_same_group(self) -> None:
        x = features()
        x[:, :, 3] = x[:, :, 1] + 10
        p = grouping()(x, return_attention=True)[1]["assignment"]
        torch.testing.assert_close(p[:, 3], p[:, 1])

    def test_order_of_joints_is_carried_through(self) -> None:
        module, x, order = grouping(), features(), torch.tensor([2, 0, 4, 1, 3])
        torch.testing.assert_close(module(x)[0][:, :, order], module(x[:, :, order])[0])

    def test_motion_may_come_from_elsewhere(self) -> None:
        module, x = grouping(motion_channels=4), features()
        motion = torch.rand(N, V, 4, dtype=torch.float64)
        p = module(x, motion=motion, return_attention=True)[1]["assignment"]
        torch.testing.assert_close(p, module.assignment(motion))

    def test_gradient_is_finite_when_nothing_moves(self) -> None:
        module, x = grouping().float(), torch.ones(N, T, V, C, requires_grad=True)
        module(x)[0].square().sum().backward()
        assert x.grad is not None
        assert x.grad.isfinite().all()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters())

    def test_unknown_projection_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="mean, sum"):
            grouping(projection="max")


def test_joint_attention_is_grouping_with_every_joint_its_own_group() -> None:
    module, x, mask = grouping(), features(), some_mask()
    plain, attention = JointAttention(module.attention)(x, mask, return_attention=True)
    identity = torch.eye(V, dtype=torch.float64).expand(N, V, V)
    f = module.attention(joints_to_groups(x, identity, "mean"), mask)[0]
    torch.testing.assert_close(plain, groups_to_joints(f, identity, x))
    assert attention["within_group"].shape == (N, H, V, T, T)
    assert "assignment" not in attention

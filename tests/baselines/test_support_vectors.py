import numpy as np
import torch
from sklearn.svm import SVR

from baselines.regressors import SupportVectors


def test_is_scikit_learns() -> None:
    torch.manual_seed(0)
    x, new = torch.randn(60, 9), torch.randn(20, 9)
    y = x[:, 0].sin() + x[:, 1]
    model = SupportVectors(penalty=3.0, tolerated=0.2)
    model.fit(x, y)
    reference = SVR(C=3.0, epsilon=0.2, gamma="scale").fit(x.double().numpy(), y.double().numpy())
    assert len(model.support) == len(reference.support_) < 60
    np.testing.assert_allclose(model(new), reference.predict(new.double().numpy()), atol=1e-5)

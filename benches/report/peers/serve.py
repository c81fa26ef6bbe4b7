"""The same work in NumPy, SciPy, PyTorch and PyEPO, for the program that asks: `cargo bench --bench report`.

Reads commands from standard input, one a line, and answers each with one line of JSON:

    list                 the names that can be measured here, and why others can not
    time NAME REPEATS    runs it so often; seconds of this thread
    check NAME           what it computes, to be compared

Inputs are formulas of their index, the same in `inputs.rs`. One thread each.
"""

import heapq
import itertools
import json
import sys
import time

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from threadpoolctl import threadpool_limits

KAPPA, TERMS = 10, 10
STEPS = [(rows, samples, dim) for samples in (1, 10) for rows, dim in ((200, 20), (40, 350), (40, 1000))]
SIDE = 30
ROWS = 50


def numbers(count, salt):
    """Multiplicative hashing: numbers from 0 to 1."""
    index = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(salt << 32)
    return ((index * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(11)) / 2.0**53


def step_inputs(rows, samples, dim):
    theta = (numbers(rows * dim, 1) - 0.5).reshape(rows, dim)
    grad = (numbers(rows * samples * dim, 2) - 0.5).reshape(rows, samples, dim)
    return theta, grad


def numpy_step(rows, samples, dim):
    """Forward and backward of I-MLE with lambda = 1: the states and the gradient."""
    theta, grad = step_inputs(rows, samples, dim)
    random = np.random.default_rng(1)

    def top(theta):
        chosen = np.argpartition(theta, dim - KAPPA, axis=-1)[..., dim - KAPPA:]
        z = np.zeros_like(theta)
        np.put_along_axis(z, chosen, 1.0, axis=-1)
        return z

    def step():
        eps = np.zeros((rows, samples, dim))
        for i in range(1, TERMS + 1):
            eps += random.gamma(1 / KAPPA, KAPPA / i, size=eps.shape)
        eps = (eps - np.log(TERMS)) / KAPPA
        perturbed = theta[:, None, :] + eps
        z = top(perturbed)
        return z, (z - top(perturbed - grad)).mean(axis=1)

    return step


def torch_step(torch, rows, samples, dim):
    theta, grad = (torch.from_numpy(array) for array in step_inputs(rows, samples, dim))
    torch.manual_seed(1)
    terms = torch.arange(1, TERMS + 1, dtype=torch.float64)
    gamma = torch.distributions.Gamma(torch.full((TERMS,), 1 / KAPPA, dtype=torch.float64), terms / KAPPA)

    def top(theta):
        return torch.zeros_like(theta).scatter_(-1, theta.topk(KAPPA, dim=-1, sorted=False).indices, 1.0)

    def step():
        with torch.no_grad():
            eps = (gamma.sample((rows, samples, dim)).sum(-1) - np.log(TERMS)) / KAPPA
            perturbed = theta[:, None, :] + eps
            z = top(perturbed)
            return z, (z - top(perturbed - grad)).mean(dim=1)

    return step


def means(step):
    """Mean state and mean gradient of the rows, over 400 calls."""
    total = None
    for _ in range(400):
        z, grad = (np.asarray(array) for array in step())
        now = np.stack([z.mean(axis=1), grad])
        total = now if total is None else total + now
    return (total / 400).tolist()


def neighbours(vertex):
    row, column = divmod(vertex, SIDE)
    for y in range(max(row - 1, 0), min(row + 2, SIDE)):
        for x in range(max(column - 1, 0), min(column + 2, SIDE)):
            if (y, x) != (row, column):
                yield y * SIDE + x


def rows_of_costs():
    """Grids in turn, as a processor learns a single one; the first one comes first."""
    return itertools.cycle(numbers(ROWS * SIDE * SIDE, 3).reshape(ROWS, -1))


def scipy_path():
    """csgraph charges for arcs: for the vertices that they enter. The source is added."""
    rows = rows_of_costs()
    ends = [list(neighbours(vertex)) for vertex in range(SIDE * SIDE)]
    indices = np.concatenate([np.array(row, dtype=np.int32) for row in ends])
    starts = np.concatenate([[0], np.cumsum([len(row) for row in ends])])
    graph = csr_array((np.ones(len(indices)), indices, starts), shape=(SIDE * SIDE, SIDE * SIDE))

    def path():
        costs = next(rows)
        graph.data[:] = costs[indices]
        distance, _ = dijkstra(graph, indices=0, return_predecessors=True)
        return distance[-1] + costs[0]

    return path


def python_path():
    """Dijkstra's algorithm with a heap of tuples and neighbours found on the way, as the research code of the field has it."""
    rows = rows_of_costs()

    def path():
        costs = next(rows)
        distance = np.full(SIDE * SIDE, 1e10)
        distance[0] = costs[0]
        heap, settled, came_from = [(costs[0], 0)], set(), {}
        while heap:
            near, vertex = heapq.heappop(heap)
            if vertex in settled:
                continue
            for end in neighbours(vertex):
                if end not in settled and near + costs[end] < distance[end]:
                    distance[end] = near + costs[end]
                    came_from[end] = vertex
                    heapq.heappush(heap, (distance[end], end))
            settled.add(vertex)
        state = np.zeros(SIDE * SIDE)
        vertex = SIDE * SIDE - 1
        while vertex != 0:
            state[vertex] = 1.0
            vertex = came_from[vertex]
        state[0] = 1.0
        return float(state @ costs)

    return path


PATHS = {"scipy path": scipy_path, "python path": python_path}


def pyepo_step(torch):
    """One step of training on 5x5 paths: a linear model, 32 rows, 3 samples, one process, Gurobi's free edition."""
    import pyepo
    from pyepo.model.grb import shortestPathModel

    features, _ = 5, torch.manual_seed(1)
    x, costs = pyepo.data.shortestpath.genData(32, features, (5, 5), deg=4, noise_width=0.5, seed=1)
    x = torch.as_tensor(x, dtype=torch.float32)
    data = pyepo.data.dataset.optDataset(shortestPathModel((5, 5)), x.numpy(), costs)
    truth = torch.as_tensor(np.asarray(data.sols), dtype=torch.float32)
    model = torch.nn.Linear(features, costs.shape[1])
    layer = pyepo.func.implicitMLE(shortestPathModel((5, 5)), n_samples=3, sigma=1.0, lambd=10, processes=1)
    adam = torch.optim.Adam(model.parameters(), lr=1e-2)

    def step():
        loss = (layer(model(x)) - truth).abs().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        return float(loss.detach())

    return step


def contenders():
    """Work by name, and why other names are missing."""
    makers = {f"numpy {rows} {samples} {dim}": lambda c=(rows, samples, dim): numpy_step(*c)
              for rows, samples, dim in STEPS}
    makers |= PATHS
    missing = {}
    try:
        import torch
        torch.set_num_threads(1)
        makers |= {f"torch {rows} {samples} {dim}": lambda c=(rows, samples, dim): torch_step(torch, *c)
                   for rows, samples, dim in STEPS}
        makers["pyepo step"] = lambda: pyepo_step(torch)
    except (ImportError, OSError, ValueError) as error:
        missing["torch"] = str(error).splitlines()[0]
    made = {}
    for name, make in makers.items():
        try:
            made[name] = make()
        except Exception as error:  # whatever a peer raises, its rows are left out and the reason is printed
            missing[name] = f"{type(error).__name__}: {error}".splitlines()[0]
    return made, missing


def main():
    answers = sys.stdout
    sys.stdout = sys.stderr  # what the peers print
    with threadpool_limits(1):
        made, missing = contenders()
        for line in sys.stdin:
            command, *rest = line.split()
            if command == "list":
                answer = {"names": list(made), "missing": missing}
            elif command == "time":
                work, repeats = made[" ".join(rest[:-1])], int(rest[-1])
                start = time.thread_time()
                for _ in range(repeats):
                    work()
                answer = time.thread_time() - start
            else:
                name = " ".join(rest)
                answer = PATHS[name]()() if name in PATHS else means(made[name])
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()

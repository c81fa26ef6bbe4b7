"""Adds Gurobi and HiGHS from PyPI to the table of `ilp_families`, as an outside reference.

    cargo run --release --example ilp_families -- --export out/families
    python -m venv out/venv && out/venv/bin/pip install gurobipy highspy
    out/venv/bin/python examples/ilp_families/reference.py out/families

Both solve the exported objectives with a model that stays: one thread, gap 0, only the objective changes.
Gurobi without a licence takes 2000 variables and 2000 rows; a larger family is left out. Times are CPU
time of the process, with the call from Python that sets the objective.
"""

import argparse
import csv
import json
import math
import pathlib
import statistics
import time


def load(path):
    """Returns a family: its model, and for each objective theta, the optimum and the engines' microseconds."""
    config = json.loads(path.read_text())
    with path.with_suffix(".csv").open(newline="") as file:
        rows = list(csv.reader(file))
    engines = rows[0][: rows[0].index("optimum")]
    objectives = []
    for row in rows[1:]:
        optimum, *theta = map(float, row[len(engines) :])
        times = {name: float(us) for name, us in zip(engines, row) if us}
        objectives.append((theta, optimum, times))
    return config, objectives


def variables(model):
    """Lists `(name, kind, lower, upper)`."""
    listed = [(f"x{i}", "binary", 0, 1) for i in range(model.get("binaries", 0))]
    for variable in model.get("variables", []):
        upper = variable.get("upper", 1 if variable["kind"] == "binary" else math.inf)
        listed.append((variable["name"], variable["kind"], variable.get("lower", 0), upper))
    return listed


class Gurobi:
    name = "Gurobi"

    def __init__(self, config):
        import gurobipy as gp

        model = config["model"]
        environment = gp.Env(params={"OutputFlag": 0, "Threads": 1, "MIPGap": 0})
        self.model = gp.Model(env=environment)
        kinds = {"binary": "B", "integer": "I", "continuous": "C"}
        columns = {
            name: self.model.addVar(lower, upper, vtype=kinds[kind], name=name)
            for name, kind, lower, upper in variables(model)
        }
        for row in model["rows"]:
            terms = gp.LinExpr([(c, columns[name]) for name, c in row["terms"].items()])
            self.model.addLConstr(terms, row["sense"], row["rhs"])
        self.model.ModelSense = gp.GRB.MAXIMIZE
        names = config.get("theta") or [v[0] for v in variables(model) if v[1] != "continuous"]
        self.theta = [columns[name] for name in names]
        self.model.update()
        self.optimal = gp.GRB.OPTIMAL

    def solve(self, theta):
        self.model.setAttr("Obj", self.theta, theta)
        self.model.optimize()
        assert self.model.Status == self.optimal, self.model.Status
        return self.model.ObjVal


class Highs:
    name = "HiGHS"

    def __init__(self, config):
        import highspy
        import numpy

        model, inf = config["model"], highspy.kHighsInf
        self.highs = highspy.Highs()
        for option, value in [("output_flag", False), ("threads", 1), ("mip_rel_gap", 0.0)]:
            self.highs.setOptionValue(option, value)
        number = {}
        for at, (name, kind, lower, upper) in enumerate(variables(model)):
            number[name] = at
            self.highs.addVar(lower, upper)
            if kind != "continuous":
                self.highs.changeColIntegrality(at, highspy.HighsVarType.kInteger)
        for row in model["rows"]:
            lower = -inf if row["sense"] == "<=" else row["rhs"]
            upper = inf if row["sense"] == ">=" else row["rhs"]
            at = numpy.array([number[name] for name in row["terms"]], dtype=numpy.int32)
            coefficients = numpy.array(list(row["terms"].values()), dtype=float)
            self.highs.addRow(lower, upper, len(at), at, coefficients)
        self.highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        names = config.get("theta") or [v[0] for v in variables(model) if v[1] != "continuous"]
        self.theta = numpy.array([number[name] for name in names], dtype=numpy.int32)
        self.numbers = lambda theta: numpy.array(theta, dtype=float)
        self.optimal = highspy.HighsModelStatus.kOptimal

    def solve(self, theta):
        self.highs.changeColsCost(len(self.theta), self.theta, self.numbers(theta))
        self.highs.run()
        assert self.highs.getModelStatus() == self.optimal, self.highs.getModelStatus()
        return self.highs.getInfo().objective_function_value


def measure(solver, objectives, seconds):
    """Returns microseconds by objective, for so many seconds at most, and the number of wrong optima."""
    times, wrong = [], 0
    solver.solve(objectives[0][0])
    for theta, optimum, _ in objectives:
        start = time.process_time()
        value = solver.solve(theta)
        times.append((time.process_time() - start) * 1e6)
        wrong += abs(value - optimum) > 1e-6 * max(1.0, abs(optimum))
        if sum(times) > seconds * 1e6:
            break
    return times, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="what `--export` wrote")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each solver and family")
    arguments = parser.parse_args()
    engines = ["native", "native, structure"]
    ratios = {(solver.name, engine): [] for solver in (Gurobi, Highs) for engine in engines}
    print(f"{'':24} {'solver':8} {'median us':>10} {'mean us':>10} {'wrong':>6}", end="")
    print("".join(f" {'over ' + engine:>24}" for engine in engines))
    for path in sorted(arguments.folder.glob("*.json")):
        config, objectives = load(path)
        for kind in (Gurobi, Highs):
            try:
                times, wrong = measure(kind(config), objectives, arguments.seconds)
            except Exception as why:  # no licence for this size, or not installed
                print(f"{path.stem:24} {kind.name:8} left out: {why}")
                continue
            median, mean = statistics.median(times), statistics.mean(times)
            print(f"{path.stem:24} {kind.name:8} {median:10.1f} {mean:10.1f} {wrong:6}", end="")
            for engine in engines:
                native = [us.get(engine, math.nan) for _, _, us in objectives[: len(times)]]
                ratios[kind.name, engine].append(sum(times) / sum(native))
                print(f" {ratios[kind.name, engine][-1]:>23.1f}x", end="")
            print(flush=True)
    for (solver, engine), values in ratios.items():
        if values:
            print(f"{engine} over {solver}: geometric mean {statistics.geometric_mean(values):.1f}x")


if __name__ == "__main__":
    main()

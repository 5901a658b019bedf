"""Trains the demo model on the rows that kv4j.apps.facts.TrainingData writes.

Runs on a GPU if there is one, and then in bfloat16.
"""

import argparse
import json
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

from llama import MATRICES, Model

ANSWER = 1 << 15  # marks the tokens that the model has to say
FILLER = 0  # the token that fills rows up
PAGE_WEIGHT = 0.1  # in the loss, of tokens that are no answers

# From when on, as a part of the time, batches are of rows of which length, and how often.
CURRICULUM = [
    (0.00, {256: 1.0}),
    (0.06, {256: 0.3, 512: 0.7}),
    (0.15, {256: 0.1, 512: 0.3, 1024: 0.6}),
    (0.30, {256: 0.05, 512: 0.15, 1024: 0.3, 2048: 0.5}),
]
# From when on every how many layers run. The others pass on what they get until then, and
# afterwards go on from there, as what they add is zero at first.
GROWTH = [(0.00, 4), (0.01, 2), (0.02, 1)]


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", help="folder of rows")
    parser.add_argument("out", help="folder for the model")
    parser.add_argument("--seconds", type=float, default=525, help="time to train")
    parser.add_argument("--layers", type=int, default=32)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--kv-heads", type=int, default=4)
    parser.add_argument("--ffn", type=int, default=288)
    parser.add_argument("--batch", type=int, default=131072, help="tokens in a batch")
    parser.add_argument("--matrix-rate", type=float, default=0.02)
    parser.add_argument("--vector-rate", type=float, default=0.003)
    parser.add_argument("--save-every", type=float, default=90, help="seconds")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


class Muon:
    """Steps along the momentum, made orthogonal (Jordan et al. 2024), for stacks of matrices."""

    MOMENTUM = 0.95
    DECAY = 0.05

    def __init__(self, weights):
        self.weights = weights
        self.momenta = [torch.zeros_like(weight) for weight in weights]

    @torch.no_grad()
    def step(self, rate):
        for weight, momentum in zip(self.weights, self.momenta):
            momentum.lerp_(weight.grad, 1 - self.MOMENTUM)
            update = orthogonal(weight.grad.lerp(momentum, self.MOMENTUM))
            scale = max(1, weight.shape[1] / weight.shape[2]) ** 0.5
            weight.mul_(1 - rate * self.DECAY).add_(update, alpha=-rate * scale)
            weight.grad = None


def orthogonal(stack):
    """Nearly the same matrices with all singular values 1, by five steps of Newton and Schulz."""
    x = stack.bfloat16() if stack.is_cuda else stack
    tall = x.shape[1] > x.shape[2]
    x = x.transpose(1, 2) if tall else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return (x.transpose(1, 2) if tall else x).to(stack.dtype)


class Rows:
    """Rows of one length, file after file as they are written, and again from the first."""

    def __init__(self, folder, length):
        self.folder, self.length = folder, length
        self.files, self.rows, self.at = 0, np.zeros((0, length), np.uint16), 0

    def next(self, count):
        taken = []
        while count > 0:
            if self.at == len(self.rows):
                self.open_next()
            part = self.rows[self.at : self.at + count]
            taken.append(part)
            self.at += len(part)
            count -= len(part)
        return np.concatenate(taken)

    def open_next(self):
        if not os.path.exists(self.path(self.files)):
            self.files = 0
        self.rows, self.at = read_rows(self.path(self.files), self.length), 0
        self.files += 1

    def path(self, file):
        return os.path.join(self.folder, f"{self.length}-{file:04d}.bin")


def read_rows(path, length):
    return np.fromfile(path, dtype="<u2").reshape(-1, length)


def batch(rows, device):
    """Ids, targets, and which targets are of answers and which of anything."""
    raw = torch.from_numpy(rows.view(np.int16))
    if device == "cuda":
        raw = raw.pin_memory().to(device, non_blocking=True)
    raw = raw.long() & 0xFFFF
    ids = raw % ANSWER
    targets = F.pad(ids[:, 1:], (0, 1))
    answers = F.pad(raw[:, 1:] >= ANSWER, (0, 1))
    return ids, targets, answers, targets != FILLER


@torch.no_grad()
def exact_answers(model, rows, unknown):
    """Shares of known and of unknown answers all of whose tokens are the likeliest."""
    size = max(1, model.args.batch // rows.shape[1])
    counts = np.zeros((2, 2))
    for at in range(0, len(rows) - size + 1, size):
        ids, targets, answers, _ = batch(rows[at : at + size], model.device)
        right = model.losses(ids, targets, 1)[1].view(ids.shape).cpu().numpy()
        answers, targets = answers.cpu().numpy(), targets.cpu().numpy()
        begins = np.argwhere(answers & ~np.pad(answers, ((0, 0), (1, 0)))[:, :-1])
        for row, begin in begins:
            end = begin + np.argmin(answers[row, begin:])
            kind = int(tuple(targets[row, begin : begin + 2]) == unknown)
            counts[kind] += [right[row, begin:end].all(), 1]
    return counts[:, 0] / np.maximum(counts[:, 1], 1)


def at_progress(stages, progress):
    return [value for begin, value in stages if progress >= begin][-1]


def rate(progress):
    """Up in the first hundredth, level, and from four tenths on down to nearly nothing."""
    return min(progress / 0.01, 1.0, max((1 - progress) / 0.6, 0.01))


class Training:
    def __init__(self, args):
        self.args = args
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        with open(os.path.join(args.rows, "tokenizer.json"), encoding="utf-8") as file:
            tokens = json.load(file)["model"]["vocab"]
        self.unknown = (tokens["I"], tokens["\u0120do"])  # how the answer to the unknown begins
        self.rows = {length: Rows(args.rows, length) for length in CURRICULUM[-1][1]}
        self.model = Model(args, len(tokens), self.device)
        weights = self.model.weights
        self.muon = Muon([weights[name] for name in MATRICES])
        vectors = [weight for name, weight in weights.items() if name not in MATRICES]
        self.adam = torch.optim.AdamW(
            vectors, lr=args.vector_rate, betas=(0.9, 0.95), weight_decay=0
        )

    def step(self, length, every, scale):
        """Takes a batch; returns the loss of answers' tokens and how many are right."""
        rows = self.rows[length].next(self.args.batch // length)
        ids, targets, answers, any_token = batch(rows, self.device)
        losses, right = self.model.losses(ids, targets, every)
        weights = torch.where(answers, 1.0, PAGE_WEIGHT) * any_token
        ((losses * weights.view(-1)).sum() / weights.sum()).backward()
        self.muon.step(self.args.matrix_rate * scale)
        self.adam.param_groups[0]["lr"] = self.args.vector_rate * scale
        self.adam.step()
        self.adam.zero_grad()
        flat = answers.view(-1)
        return (torch.stack([losses * flat, right * flat]).sum(1) / flat.sum()).detach()

    def run(self):
        seconds = self.args.seconds
        random = np.random.default_rng(self.args.seed)
        self.step(256, 1, 0.0)  # compiles
        start = saved = shown = time.time()
        steps, sums, summed = 0, 0, 0
        while time.time() < start + seconds:
            now = time.time()
            progress = (now - start) / seconds
            mix = at_progress(CURRICULUM, progress)
            length = int(random.choice(list(mix), p=list(mix.values())))
            sums += self.step(length, at_progress(GROWTH, progress), rate(progress))
            steps, summed = steps + 1, summed + 1
            if steps % 20 == 0 and self.device == "cuda":
                torch.cuda.synchronize()  # the clock is to tell what has been done
            if now > shown + seconds / 50:
                loss, right = (sums / summed).tolist()
                millions = steps * self.args.batch / 1e6
                print(
                    f"{now - start:.0f} s, {millions:.1f} M tokens: answers' loss {loss:.3f},"
                    f" {100 * right:.1f} % of their tokens right",
                    flush=True,
                )
                shown, sums, summed = now, 0, 0
            if now > saved + self.args.save_every:
                self.model.save(self.args.out)
                saved = now
        self.model.save(self.args.out)

    def test(self):
        for length in self.rows:
            held_out = read_rows(os.path.join(self.args.rows, f"{length}-test.bin"), length)
            known, unknown = exact_answers(self.model, held_out, self.unknown)
            print(f"held out {length}: {100 * known:.1f} % known, {100 * unknown:.1f} % unknown")


def main():
    args = options()
    torch.manual_seed(args.seed)
    training = Training(args)
    training.run()
    training.test()


if __name__ == "__main__":
    main()

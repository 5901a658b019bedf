"""The demo model: a Llama with the weights of all layers of one kind stacked."""

import json
import math
import os
import struct

import torch
import torch.nn.functional as F

CONTEXT = 2048
THETA = 10_000.0
EPSILON = 1e-5
LAYERS_IN_FILE = 8

# What Hugging Face's libraries call the weights of a layer.
LAYER_NAMES = {
    "q": "self_attn.q_proj",
    "k": "self_attn.k_proj",
    "v": "self_attn.v_proj",
    "o": "self_attn.o_proj",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
    "attention norm": "input_layernorm",
    "ffn norm": "post_attention_layernorm",
}
MATRICES = ["q", "k", "v", "o", "gate", "up", "down"]


class Model:
    """Weights, and the passes over them."""

    def __init__(self, args, vocabulary, device):
        self.args = args
        self.device = device
        self.head_dim = args.dim // args.heads
        self.type = torch.bfloat16 if device == "cuda" else torch.float32
        d, kv, f = args.dim, args.kv_heads * self.head_dim, args.ffn
        shapes = {"q": (d, d), "k": (kv, d), "v": (kv, d), "o": (d, d)}
        shapes |= {"gate": (f, d), "up": (f, d), "down": (d, f)}
        self.weights = {}
        for name, (rows, columns) in shapes.items():
            scale = 0 if name in ("o", "down") else 0.7 / math.sqrt(columns)
            self.weights[name] = torch.randn(args.layers, rows, columns) * scale
        self.weights["embedding"] = torch.randn(vocabulary, d) * 0.02
        self.weights["attention norm"] = torch.ones(args.layers, d)
        self.weights["ffn norm"] = torch.ones(args.layers, d)
        self.weights["norm"] = torch.ones(d)
        for name in self.weights:
            self.weights[name] = self.weights[name].to(device).requires_grad_()
        half = self.head_dim // 2
        frequencies = THETA ** (-torch.arange(half, dtype=torch.float64) / half)
        angles = torch.outer(torch.arange(CONTEXT, dtype=torch.float64), frequencies)
        self.cos = angles.cos().float().to(device)
        self.sin = angles.sin().float().to(device)

        def compiled(function):
            return torch.compile(function, dynamic=False) if device == "cuda" else function

        # Apart from attention, all is alike whatever the rows' length, and compiled once.
        self.before = compiled(before_attention)
        self.after = compiled(after_attention)
        self.output = compiled(token_losses)

    def losses(self, ids, targets, every):
        """Loss of each token, and whether it is the likeliest; ids [rows, length]."""
        rows, length = ids.shape
        w = {name: weight.to(self.type) for name, weight in self.weights.items()}
        qkv = torch.cat([w["q"], w["k"], w["v"]], 1).unbind()
        gate_up = torch.cat([w["gate"], w["up"]], 1).unbind()
        o, down = w["o"].unbind(), w["down"].unbind()
        attention_norm, ffn_norm = w["attention norm"].unbind(), w["ffn norm"].unbind()
        x = F.embedding(ids.reshape(-1), w["embedding"])
        cos = self.cos[:length].repeat(rows, 1)
        sin = self.sin[:length].repeat(rows, 1)
        for i in range(0, self.args.layers, every):
            q, k, v = self.before(
                x, attention_norm[i], qkv[i], cos, sin, self.args.heads, self.args.kv_heads
            )
            mixed = attend(*(part.view(rows, length, -1, self.head_dim) for part in (q, k, v)))
            x = self.after(x, mixed.reshape(x.shape), o[i], ffn_norm[i], gate_up[i], down[i])
        return self.output(x, w["norm"], w["embedding"], targets.reshape(-1))

    def save(self, folder):
        """Writes the model as Hugging Face's libraries do, without a tokenizer."""
        os.makedirs(folder, exist_ok=True)
        args = self.args
        w = {name: weight.detach().float().cpu().numpy() for name, weight in self.weights.items()}
        files = [{} for _ in range(math.ceil(args.layers / LAYERS_IN_FILE))]
        files[0]["model.embed_tokens.weight"] = w["embedding"]
        files[-1]["model.norm.weight"] = w["norm"]
        for i in range(args.layers):
            for name, full in LAYER_NAMES.items():
                files[i // LAYERS_IN_FILE][f"model.layers.{i}.{full}.weight"] = w[name][i]
        index = {}
        for number, tensors in enumerate(files, 1):
            file = f"model-{number:05d}-of-{len(files):05d}.safetensors"
            index |= {name: file for name in tensors}
            write_whole(os.path.join(folder, file), safetensors(tensors))
        config = {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_act": "silu",
            "hidden_size": args.dim,
            "intermediate_size": args.ffn,
            "num_hidden_layers": args.layers,
            "num_attention_heads": args.heads,
            "num_key_value_heads": args.kv_heads,
            "head_dim": self.head_dim,
            "vocab_size": len(w["embedding"]),
            "max_position_embeddings": CONTEXT,
            "rms_norm_eps": EPSILON,
            "rope_theta": THETA,
            "tie_word_embeddings": True,
            "torch_dtype": "float32",
        }
        write_json(os.path.join(folder, "model.safetensors.index.json"), {"weight_map": index})
        write_json(os.path.join(folder, "config.json"), config)


def rms_norm(x, gain):
    wide = x.float()
    return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + EPSILON)).to(x.dtype) * gain


def rotated(x, cos, sin):
    """Turns each pair of a head's elements i and i + half; x [tokens, heads, head_dim]."""
    a, b = x.float().chunk(2, -1)
    cos, sin = cos.unsqueeze(1), sin.unsqueeze(1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1).to(x.dtype)


def before_attention(x, gain, qkv, cos, sin, heads, kv_heads):
    projected = (rms_norm(x, gain) @ qkv.t()).view(x.shape[0], heads + 2 * kv_heads, -1)
    q, k, v = projected.split([heads, kv_heads, kv_heads], 1)
    return rotated(q, cos, sin), rotated(k, cos, sin), v.contiguous()


def attend(q, k, v):
    """Causal attention; [rows, length, heads, head_dim]."""
    q, k, v = (part.transpose(1, 2) for part in (q, k, v))
    if q.is_cuda:
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return mixed.transpose(1, 2)
    k, v = (part.repeat_interleave(q.shape[1] // k.shape[1], 1) for part in (k, v))
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return (scores.masked_fill(later, float("-inf")).softmax(-1) @ v).transpose(1, 2)


def after_attention(x, mixed, o, gain, gate_up, down):
    x = x + mixed @ o.t()
    gate, up = (rms_norm(x, gain) @ gate_up.t()).chunk(2, -1)
    return x + (F.silu(gate) * up) @ down.t()


def token_losses(x, gain, embedding, targets):
    logits = (rms_norm(x, gain) @ embedding.t()).float()
    return F.cross_entropy(logits, targets, reduction="none"), logits.argmax(-1) == targets


def safetensors(tensors):
    header, at = {}, 0
    for name, values in tensors.items():
        end = at + values.nbytes
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(v.tobytes() for v in tensors.values())


def write_json(file, content):
    write_whole(file, json.dumps(content, indent=1).encode())


def write_whole(file, content):
    with open(file + ".part", "wb") as part:
        part.write(content)
    os.replace(file + ".part", file)

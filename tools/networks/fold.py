"""Folding: batch normalisation and softmax temperature disappear into the weights."""

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tools.networks.separable import ConvNorm
from tools.networks.student import Student


def folded(student: Student) -> Student:
    """Return a copy in evaluation mode whose logits are the same up to a constant, with less in it.

    Every `ConvNorm` becomes one convolution; each head carries its `tau` and has zero mean over
    the labels, which a softmax cannot see and an int8 range is better used without.
    """
    student = copy.deepcopy(student).eval()
    for module in student.modules():
        if isinstance(module, ConvNorm):
            module.conv = fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()
    calibrate_head(student.visual.head, student.tau_visual)
    if student.audio is not None and student.tau_audio is not None:
        head = student.audio.prefix_head if student.partial else student.audio.head
        calibrate_head(head, student.tau_audio)
    student.tau_visual = torch.ones(())
    student.tau_audio = torch.ones(())
    return student


def calibrate_head(head: nn.Linear, tau: torch.Tensor) -> None:
    """Divide the weights [labels, features] and biases [labels] by `tau` and centre them."""
    with torch.no_grad():
        for parameter in (head.weight, head.bias):
            parameter.copy_((parameter - parameter.mean(0, keepdim=True)) / tau)

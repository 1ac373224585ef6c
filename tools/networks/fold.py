"""Folding: batch normalisation and softmax temperature disappear into the weights."""

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from tools.networks.separable import ConvNorm
from tools.networks.student import Student, Students


def folded(student: Student) -> Student:
    """Return a copy in evaluation mode whose logits are the same up to a constant, with less in it.

    Every `ConvNorm` becomes one convolution; each head carries its `tau` and has zero mean over
    the labels, which a softmax cannot see and an int8 range is better used without.
    """
    student = copy.deepcopy(student).eval()
    for module in student.modules():
        if isinstance(module, ConvNorm):
            module.fold()
    calibrate_head(student.visual.head, student.tau_visual)
    if student.audio is not None and student.tau_audio is not None:
        head = student.audio.prefix_head if student.partial else student.audio.head
        calibrate_head(head, student.tau_audio)
    student.tau_visual = torch.ones(())
    student.tau_audio = torch.ones(())
    return student


def folded_students(students: Students) -> Students:
    """Return students of the same answers whose batch normalisation is in their weights.

    They can be trained on, saved and exported like others; `Shape.folded` tells them apart.
    """
    copied = copy.deepcopy(students)
    for module in copied.modules():
        if isinstance(module, ConvNorm):
            module.fold()
    plain = Students(replace(students.shape, folded=True))
    plain.load_state_dict(copied.state_dict())
    return plain.train(students.training)


def calibrate_head(head: nn.Linear, tau: Tensor) -> None:
    """Divide the weights [labels, features] and biases [labels] by `tau` and centre them."""
    with torch.no_grad():
        for parameter in (head.weight, head.bias):
            parameter.copy_(centred(parameter) / tau)


def centred(parameter: Tensor) -> Tensor:
    """Subtract from [labels, …] the mean over the labels, which no softmax sees."""
    return parameter - parameter.mean(0, keepdim=True)

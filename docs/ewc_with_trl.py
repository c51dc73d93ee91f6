"""TRL's SFTTrainer under EWC: python docs/ewc_with_trl.py MODEL EXAMPLES.jsonl GENERAL_TEXT OUT"""

import sys

from datasets import load_dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

from worldschool.learners.finetune.config import FisherSettings
from worldschool.learners.finetune.retaining import measure_fisher
from worldschool.learners.retention.callback import EWCCallback

name, examples, general, out = sys.argv[1:]
attention = ["q_proj", "k_proj", "v_proj", "o_proj"]
model, tokenizer = AutoModelForCausalLM.from_pretrained(name), AutoTokenizer.from_pretrained(name)
fisher = measure_fisher(model, tokenizer, FisherSettings(texts=(general,)), attention)
trainer = SFTTrainer(
    model,
    args=SFTConfig(out, max_steps=100, learning_rate=3e-4, logging_steps=10, report_to="none"),
    train_dataset=load_dataset("json", data_files=examples, split="train"),
    processing_class=tokenizer,
    peft_config=LoraConfig(r=16, lora_alpha=32, target_modules=attention, task_type="CAUSAL_LM"),
    callbacks=[EWCCallback(fisher, strength=5e4)],
)
trainer.train()
trainer.save_model(out)

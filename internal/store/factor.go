package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"sidecard/internal/hub"
)

type factorRow struct {
	UserID      hub.ID
	Secret      []byte
	ConfirmedAt *time.Time
	LastStep    int64
}

func (factorRow) TableName() string { return "second_factors" }

type recoveryCodeRow struct {
	UserID hub.ID
	Hash   []byte
}

func (recoveryCodeRow) TableName() string { return "recovery_codes" }

// Factor implements hub.Factors.
func (s *Store) Factor(ctx context.Context, user hub.ID) (hub.Factor, error) {
	var row factorRow
	if err := s.reader.WithContext(ctx).Where("user_id = ?", user).Take(&row).Error; err != nil {
		return hub.Factor{}, fmt.Errorf("find second factor: %w", translate(err))
	}
	return hub.Factor{UserID: row.UserID, Sealed: row.Secret, ConfirmedAt: timeOrZero(row.ConfirmedAt)}, nil
}

var errFactorInUse = &hub.Error{Code: hub.CodeConflict, Message: "You have a second factor already. Remove it first to set up another."}

// BeginFactor implements hub.Factors.
func (s *Store) BeginFactor(ctx context.Context, f hub.Factor) error {
	begin := s.writer.WithContext(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "user_id"}},
		DoUpdates: clause.AssignmentColumns([]string{"secret"}),
		Where:     clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: "second_factors.confirmed_at is null"}}},
	}).Create(&factorRow{UserID: f.UserID, Secret: f.Sealed})
	if begin.Error != nil {
		return fmt.Errorf("begin second factor: %w", translate(begin.Error))
	}
	if begin.RowsAffected == 0 {
		return errFactorInUse
	}
	return nil
}

// ConfirmFactor implements hub.Factors.
func (s *Store) ConfirmFactor(ctx context.Context, user hub.ID, step int64, codes [][32]byte, now time.Time, m hub.SealedMail) error {
	return transact(s.writer.WithContext(ctx), nil, "confirm second factor", func(tx *gorm.DB) error {
		confirm := tx.Model(&factorRow{}).Where("user_id = ? and confirmed_at is null", user).
			Updates(map[string]any{"confirmed_at": now.UTC(), "last_step": step})
		if confirm.Error != nil {
			return confirm.Error
		}
		if confirm.RowsAffected == 0 {
			return gorm.ErrRecordNotFound
		}
		if err := tx.Where("user_id = ?", user).Delete(&recoveryCodeRow{}).Error; err != nil {
			return err
		}
		rows := make([]recoveryCodeRow, len(codes))
		for i, c := range codes {
			rows[i] = recoveryCodeRow{UserID: user, Hash: c[:]}
		}
		if err := tx.Create(&rows).Error; err != nil {
			return err
		}
		return s.insertMail(tx, m)
	})
}

// RemoveFactor implements hub.Factors.
func (s *Store) RemoveFactor(ctx context.Context, user hub.ID, m hub.SealedMail) error {
	return transact(s.writer.WithContext(ctx), nil, "remove second factor", func(tx *gorm.DB) error {
		if err := tx.Where("user_id = ?", user).Delete(&recoveryCodeRow{}).Error; err != nil {
			return err
		}
		if err := tx.Where("user_id = ?", user).Delete(&factorRow{}).Error; err != nil {
			return err
		}
		return s.insertMail(tx, m)
	})
}

// UseStep implements hub.Factors.
func (s *Store) UseStep(ctx context.Context, user hub.ID, step int64) (bool, error) {
	use := s.writer.WithContext(ctx).Model(&factorRow{}).
		Where("user_id = ? and confirmed_at is not null and last_step < ?", user, step).Update("last_step", step)
	if use.Error != nil {
		return false, fmt.Errorf("use code: %w", translate(use.Error))
	}
	return use.RowsAffected == 1, nil
}

// UseRecoveryCode implements hub.Factors.
func (s *Store) UseRecoveryCode(ctx context.Context, user hub.ID, hash [32]byte) (left int, err error) {
	err = transact(s.writer.WithContext(ctx), nil, "use recovery code", func(tx *gorm.DB) error {
		used := tx.Where("user_id = ? and hash = ?", user, hash[:]).Delete(&recoveryCodeRow{})
		if used.Error != nil {
			return used.Error
		}
		if used.RowsAffected == 0 {
			return gorm.ErrRecordNotFound
		}
		var rest int64
		err := tx.Model(&recoveryCodeRow{}).Where("user_id = ?", user).Count(&rest).Error
		left = int(rest)
		return err
	})
	return left, err
}
